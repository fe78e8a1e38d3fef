# ruff: noqa: E501 - one list per row
"""Words for music of films, games and many traditions: names, uses, images, textures."""

TEXT = """
# cinematic
names: cinematic; film score; orchestral film music; movie soundtrack; cinematic orchestral; symphonic score; soundtrack; orchestral; dramatic score; film music
uses: a film trailer; a historical drama; a documentary; a farewell scene; a nature film; a game cutscene; opening credits; a rescue scene; a war epic; a charity film
scenes: an army waiting at dawn; a ship leaving the harbour; riders on a snowy plain; a hero coming home; the fall of an empire; a mother's goodbye; an eagle above the canyon; ruins in the rain; a city seen from a hill; the last letter
words: sweeping; majestic; stirring; emotional; widescreen; grandiose; noble; poignant; panoramic; tragic; swelling; heart-stopping
# epic trailer
names: epic trailer music; epic orchestral; trailer music; battle music; epic cinematic; heroic orchestral; hybrid orchestral; blockbuster score; boss battle music
uses: a boss fight; a blockbuster trailer; a final battle; a superhero film; a siege; a sports final; an esports intro; a dragon attack; the last stand
scenes: dragons over a burning city; two armies colliding; a titan rising from the sea; the gates breaking; a hero standing alone; meteors falling; a charge down the hillside; a throne of swords
words: thunderous; colossal; heroic; pounding; titanic; ferocious; triumphant; apocalyptic; gigantic; adrenaline-fuelled; monumental; warlike
# suspense
names: suspense; suspense music; thriller score; tension underscore; mystery music; crime thriller music; stealth music; detective underscore
uses: a heist; a stealth mission; a murder mystery; a chess duel; a hospital drama; a ticking bomb; an escape room; a courtroom cliffhanger
scenes: someone following in the fog; a hand on the door handle; a bomb with ten seconds left; fingerprints on a glass; a locked room; a shadow on the stairs; a phone ringing in an empty house; whispers behind the wall
words: tense; creeping; nervous; ticking; uneasy; stealthy; prickling; taut; secretive; anxious; nail-biting
# horror
names: horror; horror music; scary music; horror score; creepy music; haunted house music; ghost music; slasher score
uses: a haunted house; a horror game; Halloween; a ghost story; a slasher film; a creepy doll scene; a seance; an escape room
scenes: a doll whose eyes move; a rocking chair in the attic; blood on the snow; an asylum at midnight; a clown under the bed; something in the mirror; a nursery with no children; a grave being opened
words: creepy; eerie; sinister; ghostly; spine-chilling; nightmarish; macabre; twisted; ghoulish; bloodcurdling; dreadful; cursed
# fantasy adventure
names: fantasy adventure; fantasy music; RPG music; adventure score; role-playing game music; fairy tale music; questing music; medieval fantasy; game overworld theme
uses: a role-playing game; a quest; a village in a game; a children's film; a fairy tale; a map screen; tabletop night; an elven city
scenes: elves in a silver forest; a floating castle; a dragon asleep on gold; a wizard opening a book; a village fair with jugglers; riding a griffin; a glowing mushroom grove; a sword in a stone; pixies over the pond
words: enchanted; magical; storybook; whimsical; valiant; sparkling; mythical; wondrous; questing; fabled; bewitching
# quirky comedy
names: quirky comedy; comedy music; cartoon music; funny music; sneaky comedy; quirky underscore; playful orchestral; silly music; children's comedy
uses: a cartoon; a prank video; a pet video; a cooking mishap; a clumsy burglar; a children's show; a puppet theatre; a baby learning to walk
scenes: a cat stalking a goldfish; a tiptoeing burglar; a waddling penguin; a chef slipping on butter; a dog in a bath; a wobbling tower of plates; squirrels stealing nuts; a mouse in the kitchen
words: mischievous; tiptoeing; goofy; zany; whimsical; clumsy; impish; waddling; cheeky; tongue-in-cheek; plucky
# corporate
names: corporate; corporate music; motivational music; inspiring background music; advertising music; presentation music; uplifting corporate; success music; startup music; explainer video music
uses: a company presentation; an explainer video; a product launch; a charity campaign; a startup pitch; a real estate tour; an annual report; an onboarding video; a tech keynote; a fundraiser
scenes: a handshake in a glass office; a graph going up; a team around a whiteboard; a rocket of post-it notes; skyscrapers in the morning sun; a runner crossing the finish line; wind turbines on a green hill; smiling volunteers
words: motivating; optimistic; clean; inspiring; positive; confident; bright; polished; forward-looking; reassuring; wholesome
eras: modern
# spaghetti western
names: spaghetti western; western; wild west music; western score; cowboy music; gunslinger theme; desert western; showdown music
uses: a duel; a cowboy film; a desert ride; a standoff; a bounty hunter game; a tequila advert; a train robbery
scenes: two gunmen at high noon; a tumbleweed crossing the street; vultures over the canyon; a poncho in the dust; a noose swinging slowly; a saloon gone silent; a rider against the sunset; spurs on a wooden floor
words: dusty; sun-scorched; lonesome; squinting; twangy; parched; galloping; mythic; leathery; rugged; steely-eyed
eras: 1960s; sixties
# spy jazz
names: spy jazz; spy music; secret agent music; detective jazz; crime jazz; heist music; 60s spy theme; noir jazz; espionage score
uses: a spy film; a heist; a casino scene; a car chase in Monaco; a cartoon detective; a secret mission; a vodka commercial
scenes: a tuxedo in a casino; a briefcase with a false bottom; a silencer and a cigarette; a laser grid round a diamond; trench coats under a street lamp; a yacht full of villains; a microfilm in a martini
words: slinky; suave; sneaky; stealthy; debonair; cunning; prowling; sly; hard-boiled; undercover; cloak-and-dagger
eras: sixties; 1960s
# christmas
names: christmas; Christmas music; holiday music; festive music; winter music; xmas; carol; yuletide music; seasonal music
uses: decorating the tree; a Christmas market; wrapping presents; a department store; a school play; a sleigh ride; an advent calendar; baking cookies; an ice rink
scenes: snow on pine branches; candles in every window; a sleigh over the rooftops; stockings by the fireplace; gingerbread in the oven; carol singers at the door; reindeer in the moonlight; mittens and hot chocolate
words: twinkling; frosty; jolly; merry; snowy; cozy; glistening; heart-warming; candlelit; wintry; joyous
# chiptune
names: chiptune; 8-bit; 8-bit music; video game music; NES music; retro game music; chip music; arcade music; Game Boy music; 8bit chiptune; pixel music
uses: a platform game; a boss fight; an arcade; a game jam; a retro console; a pixel-art trailer; a puzzle level; a speedrun; a title screen; a game over screen; a racing level; a coding video
scenes: a plumber jumping on turtles; a pixel knight in a dungeon; an arcade cabinet blinking; collecting coins; a spaceship full of invaders; the final castle; a cartridge that needs blowing; a high score table
words: bleepy; blippy; pixelated; bouncy; zippy; retro; buzzing; frantic; blocky; square-edged; nostalgic; quirky; beeping
eras: 80s; eighties; 1980s; nineties
# reggae
names: reggae; roots reggae; reggae groove; Jamaican reggae; lovers rock; island reggae; one drop reggae; conscious reggae
uses: a beach bar; a barbecue; a summer festival; a surf shack; a hammock; a juice bar; a road trip along the coast
scenes: a sunset in Negril; dreadlocks in the sea breeze; a hammock and a coconut; red, gold and green flags; a fishing boat on turquoise water; mangoes on a market stall; a slow afternoon in Kingston
words: laid-back; sunny; skanking; rootsy; irie; easy; loping; warm; heartical; carefree; swaying
eras: 70s; seventies
# dub
names: dub; dub reggae; roots dub; heavy dub; steppers dub; echo dub; sound system music; instrumental dub
uses: a sound system; a late-night session; a smoky room; a record shop; a beach at night; testing the bass; zoning out
scenes: a wall of speakers in a yard; smoke curling round a mixing desk; an echo chamber in Kingston; a tape delay spinning; a lion on a banner; fog horns in a harbour; the floor shaking
words: echoing; cavernous; spacious; bass-heavy; smoky; deep; rumbling; trippy; dubbed-out; meditative; weighty
eras: 70s; seventies
# ska
names: ska; two-tone ska; ska punk; third-wave ska; Jamaican ska; skanking music; rocksteady-style ska
uses: a skate park; a house party; a scooter rally; a street parade; a college comedy; a summer festival
scenes: checkerboard shoes skanking; pork-pie hats in Coventry; a scooter with twenty mirrors; a conga line on campus; a seaside bank holiday; braces and white socks
words: bouncy; skanking; brassy; cheeky; jumpy; springy; rowdy; chipper; offbeat; good-time
eras: sixties; late seventies; nineties
# salsa
names: salsa; salsa music; Cuban salsa; salsa dura; latin dance music; son cubano; mambo; tropical salsa; Afro-Cuban music
uses: a salsa class; a Latin club; a street party; a rum commercial; a cooking show; a carnival; a dance competition
scenes: a dance floor in Havana; a red dress spinning; classic cars on the Malecón; cigars and dominoes; a rooftop in Cali; sweat and sequins; a block party in Spanish Harlem
words: fiery; sizzling; spicy; brassy; hip-shaking; festive; blazing; flamboyant; percussive; caliente; irresistible
eras: 70s; seventies
# samba
names: samba; Brazilian samba; carnival music; samba party; batucada; pagode; samba de roda; Rio carnival music
uses: a carnival; a football match; a street parade; a dance workout; a juice advert; a summer party; a goal celebration
scenes: feathers and glitter in Rio; a sea of dancers in the Sambadrome; football on the sand; a street party in Salvador; children drumming on cans; parrots over the rainforest; caipirinhas at noon
words: exuberant; colourful; swinging; bustling; jubilant; feathered; euphoric; shimmying; bright; tropical; infectious
# cumbia
names: cumbia; Colombian cumbia; cumbia sonidera; tropical cumbia; latin accordion music; cumbia villera; Peruvian chicha
uses: a family party; a quinceañera; a street market; a bus ride in the Andes; a backyard party; a taco stand
scenes: paper flags across the plaza; a village fiesta in Colombia; a bus with painted flowers; grandmothers dancing; a market in Lima; fireflies by the river
words: swaying; shuffling; tropical; earthy; trotting; sunny; folksy; hypnotic; festive; rustic
# reggaeton
names: reggaeton; latin pop; dembow; reggaetón; perreo; latin urban; moombahton; latin trap pop
uses: a beach club; a dance class; a summer party; a nail salon; a jet ski video; a pool party; a workout
scenes: neon over San Juan; a convertible by the sea; hips moving in slow motion; a pool full of flamingos; a balcony in Medellín; a heatwave at midnight; gold hoops and lip gloss
words: bouncing; grinding; sultry; sweaty; steamy; swaggering; tropical; hip-swaying; slick; flirty
eras: 2000s; modern; 2020s
# afrobeat
names: afrobeat; Afro-funk; West African groove; Lagos groove; Afrobeats-style groove; highlife funk; Nigerian funk
uses: a street festival; a documentary about Lagos; a dance class; a market scene; a football anthem; a cook-out
scenes: a night club in Lagos; painted buses in traffic; a market full of cloth; sunset over Accra; dancers in a circle; a courtyard full of shirts drying; palm wine and laughter
words: polyrhythmic; sweltering; insistent; percolating; defiant; interlocking; sweaty; celebratory; circular; fiery
eras: 70s; seventies
# amapiano
names: amapiano; South African house; Afro house; piano house from Soweto; yanos; log drum music; deep amapiano
uses: a rooftop party; a dance challenge; a braai; a sunset session; a shisha lounge; a wedding after-party
scenes: a shebeen in Soweto; dust in the golden hour; white sneakers in formation; a township street party; a balcony in Johannesburg; friends round a fire
words: shuffling; jazzy; log-drummed; soulful; loping; mellow; airy; infectious; sun-drenched; rolling
eras: 2020s; modern
# calypso
names: calypso; Caribbean music; steelpan music; soca-style calypso; island music; tropical music; steel band; Trinidad carnival
uses: a cruise ship; a beach party; a rum bar; a water park; a pool party; a holiday advert; an underwater cartoon
scenes: a parrot on a palm tree; turquoise water and white sand; a carnival in Port of Spain; crabs dancing in a line; a cocktail with a paper umbrella; a straw hut bar; snorkels and flippers
words: sunny; tropical; tinkling; breezy; carefree; splashing; cheery; coconut-scented; limbo-dancing; sparkling
# tango
names: tango; Argentine tango; tango nuevo; tango music; milonga; ballroom tango; Buenos Aires tango
uses: a dance competition; a dramatic dinner; a jealous lover scene; a film set in Argentina; a theatre piece; an ice-dance routine
scenes: a rose between the teeth; a dim milonga in Buenos Aires; heels on black-and-white tiles; a glance across the room; a knife under the coat; a torn love letter; two bodies in one shadow
words: passionate; smouldering; staccato; dramatic; sensual; haughty; fatal; stalking; razor-edged; melancholy; possessive
eras: 1930s; golden age
# flamenco
names: flamenco; Spanish guitar music; flamenco guitar; rumba flamenca; Andalusian guitar; bulería; gypsy guitar; Spanish music
uses: a tapas bar; a bullfight scene; a travel film about Spain; a dance show; a sherry advert; a duel of lovers
scenes: a courtyard in Seville; castanets and ruffled skirts; a cave in Granada; oranges on a white wall; a matador's cape; heels hammering on wood; a full moon over the Alhambra
words: fiery; impassioned; percussive; proud; rapid-fire; sun-baked; dramatic; stormy; dazzling; duende-filled
# klezmer
names: klezmer; Jewish folk music; Eastern European folk; Balkan dance; freylekhs; wedding klezmer; gypsy wedding music
uses: a wedding dance; a folk festival; a chase through the shtetl; a bar mitzvah; a tragicomedy; a circus of dreams
scenes: chairs lifted in the air; a village wedding in Moldova; a fiddler on a roof; borscht and vodka; a circle dance getting faster; goats in the town square; a cart on a muddy road
words: wailing; whirling; frenzied; laughing; sobbing; bittersweet; wild; tipsy; ornamented; breathless
# polka
names: polka; oompah; Bavarian music; beer hall music; oompah band; Alpine folk music; Oktoberfest music; German folk dance; Czech polka
uses: Oktoberfest; a beer tent; a village fair; a yodelling contest; a funny advert; a sausage festival; a folk dance
scenes: lederhosen and litre mugs; cows with bells on an alpine meadow; pretzels as big as plates; a tent full of benches; a maypole in Bavaria; red cheeks and feathers in hats
words: jolly; stomping; bouncy; hearty; frothy; rustic; merry; rollicking; cheerful; pumping
# indian classical
names: Indian classical; raga; Hindustani music; sitar music; Indian meditation music; raga improvisation; Bollywood-style meditation; classical Indian music
uses: yoga; meditation; a travel film about India; an incense shop; a temple scene; an ayurvedic massage; a psychedelic trip
scenes: boats on the Ganges at dawn; marigolds and incense; a palace in Rajasthan; an elephant in procession; saffron robes on temple steps; monsoon clouds gathering; a spice market in Delhi; lotus flowers opening
words: meditative; mystical; winding; ornamented; devotional; shimmering; buzzing; entrancing; fragrant; spiralling
# japanese traditional
names: Japanese traditional; Japanese music; traditional Japanese music; zen music; koto music; samurai music; oriental meditation; Edo-period music; zen garden music
uses: a tea ceremony; a zen garden; a samurai film; sushi restaurants; calligraphy; meditation; a travel film about Kyoto; a stealth game
scenes: cherry blossoms on black water; raked gravel and moss; a geisha with a paper umbrella; cranes above Mount Fuji; a katana drawn slowly; a bamboo grove in fog; koi under a red bridge; snow on a temple bell
words: sparse; contemplative; austere; graceful; ancient; still; wabi-sabi; delicate; restrained; plucked; ceremonial
# middle eastern
names: Middle Eastern; Arabic music; oriental music; desert music; Turkish-style music; belly dance music; bazaar music; Arabian music; Levantine music
uses: a belly dance; a bazaar scene; a desert adventure; a game level in Persia; a hookah lounge; a travel film about Morocco; a mummy film
scenes: camels against the sunset; lamps in the souk; a sultan's courtyard; silk veils in the wind; a carpet flying over domes; mint tea in Marrakesh; sand in an hourglass; a snake rising from a basket
words: winding; ornate; sinuous; exotic; spicy; swirling; snake-charming; opulent; dusky; hypnotic; sun-scorched
# african kalimba
names: African kalimba; kalimba music; African folk music; thumb piano music; Zimbabwean mbira style; savanna music; African groove; marimba dance
uses: a wildlife documentary; a children's programme; a nature walk; a charity film; a meditation app; a chocolate advert
scenes: giraffes at a waterhole; sunrise over the savanna; children laughing by a well; a baobab at dusk; women dancing in bright cloth; a fishing village on Lake Malawi; elephants in the dust
words: plinking; earthy; circular; sunlit; buoyant; rippling; organic; joyful; woody; lilting
# tribal percussion
names: tribal percussion; tribal drums; drum circle; ritual drumming; percussion ensemble; world percussion; jungle drums; ceremonial drumming
uses: a ritual scene; a jungle chase; a dance workshop; a survival show; a warrior film; a haka; a fire show
scenes: torches around a clearing; warriors painting their faces; dancers round the fire; a canoe race at dawn; masks carved from wood; thunder over the rainforest; feet stamping in the dust
words: primal; pounding; ritualistic; thundering; earthy; frenzied; ancestral; trance-like; fierce; rumbling; hand-played
"""
