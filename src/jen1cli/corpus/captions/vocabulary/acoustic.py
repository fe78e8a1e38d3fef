# ruff: noqa: E501 - one list per row
"""Words for jazz, bands, folk and classical styles: names, uses, images, textures."""

TEXT = """
# jazz trio
names: jazz; jazz combo; acoustic jazz; cool jazz; straight-ahead jazz; bebop; club jazz; modern jazz; small-group jazz; hard bop
uses: a wine bar; a dinner party; a hotel bar; a jazz club; a noir film; a Sunday morning; a cocktail hour; reading the paper
scenes: a cellar club in Paris; ice clinking in a glass; a saxophone case on the floor; a rainy night in Manhattan; dim lamps and red velvet; a taxi waiting outside the club; cigarette smoke curling upwards; an after-hours jam
words: smoky; swinging; suave; sophisticated; nimble; spontaneous; urbane; syncopated; elegant; boppish; loose-limbed; after-hours
eras: 1950s; fifties; sixties
# big band swing
names: big band swing; swing; big band; swing music; jump swing; 1940s swing; ballroom swing; dance band; swing jazz
uses: lindy hop; a ballroom dance; a wartime film; a speakeasy party; a variety show; a cruise ship; a New Year's gala
scenes: jitterbugging couples; white tuxedos on a bandstand; a ballroom in Harlem; sailors on shore leave; a radio in a wooden cabinet; a chorus line; champagne towers
words: brassy; roaring; jumping; blaring; exuberant; sizzling; razzle-dazzle; punchy; high-stepping; glitzy
eras: 1940s; forties; 1930s; swing era
# gypsy jazz
names: gypsy jazz; jazz manouche; hot club jazz; swing manouche; Parisian swing; Django-style jazz; string swing
uses: a Parisian café; a caper comedy; a picnic; a wine tasting; a garden party; a travel show about France; a silent film
scenes: a caravan by the campfire; a bistro on the Seine; bicycles with baguettes; a moustachioed waiter; cobblestones in Montmartre; a flea market on Sunday
words: nimble; sprightly; fleet-fingered; rakish; bohemian; dazzling; bouncing; mischievous; dashing; sparkling
eras: 1930s; thirties
# bossa nova
names: bossa nova; bossa; Brazilian jazz; latin lounge; Rio bossa; soft samba; brazilian easy listening
uses: a beach café; a brunch; an elevator; a cocktail bar; cooking dinner; a travel show; a hammock afternoon; a bookshop
scenes: Ipanema at sunset; a hammock in the shade; a hotel terrace in Rio; waves at the edge of the pavement; a caipirinha with too much lime; linen shirts and straw hats; tanned strangers strolling by
words: breezy; supple; sun-kissed; whispering; swaying; understated; cool; balmy; tender; effortless
eras: sixties; 1960s
# lounge
names: lounge; lounge music; easy listening; cocktail music; hotel lobby music; elevator music; space-age pop; bar jazz
uses: a hotel lobby; a cocktail party; an elevator; being on hold; a shopping channel; a cruise ship bar; a retro advert; an airport lounge
scenes: a martini with an olive; a tiki bar in 1962; leather armchairs and a fish tank; a revolving restaurant; a stewardess with a hat; shag carpets and teak; a tuxedo at the roulette table
words: suave; martini-dry; swanky; smooth; kitschy; plush; polished; breezy; nonchalant; inoffensive
eras: sixties; 1960s; retro
# smooth jazz
names: smooth jazz; soft jazz; jazz fusion lite; late-night jazz; crossover jazz; contemporary jazz; quiet storm jazz
uses: a weather channel; a dentist's waiting room; a romantic dinner; a late-night radio show; a business lounge; a slow evening drive
scenes: a penthouse with a fireplace; the skyline at dusk; a bottle of red by the window; a ferry crossing the bay; soft lights and slow rain; a yacht at anchor
words: silky; glossy; mellow; buttery; polished; smooth; soothing; sensuous; well-groomed; airbrushed
eras: eighties; nineties
# blues shuffle
names: blues; blues shuffle; Chicago blues; electric blues; bar-room blues; rhythm and blues; jump blues; boogie
uses: a roadhouse; a barbecue joint; a whisky bar; a road movie; a pool hall; a pickup truck advert; a biker bar
scenes: a neon beer sign buzzing; a dusty highway crossing; a juke joint in Mississippi; catfish frying in the back; boots on a sticky floor; a freight train at the crossing; a cigar-box guitar on the wall
words: gritty; swaggering; rowdy; whisky-soaked; down-and-dirty; foot-stomping; greasy; raw; growling; rollicking
eras: fifties; 1950s; vintage
# slow blues
names: slow blues; blues ballad; late-night blues; delta blues mood; blue mood
uses: drowning sorrows; a lonely bar scene; a long night drive; a prison drama; closing time; a heartbreak montage
scenes: a lone figure at the end of the bar; a suitcase by the door; rain on a tin roof; the last cigarette in the packet; an empty road at three in the morning; a motel in Memphis; chairs on the tables
words: weeping; aching; smouldering; world-weary; crying; sorrowful; bent; moaning; bruised; lonesome
# ragtime
names: ragtime; rag; saloon music; stride; silent movie music; old-time rag; vaudeville; honky-tonk rag; nickelodeon tune
uses: a silent film; a saloon scene; a slapstick chase; an ice cream van; a circus act; a vintage cartoon; a magic show
scenes: swinging saloon doors; a paddle steamer on the Mississippi; bowler hats and canes; a custard pie in the face; sawdust on the floor; a player piano with no player; sepia photographs
words: jaunty; tinkling; bouncy; old-timey; plinking; comical; skipping; strutting; nimble; bustling
eras: 1900s; turn of the century; 1910s; twenties
# rock
names: rock; rock music; classic rock; hard rock; guitar rock; arena rock; rock instrumental; stadium rock; garage rock; alternative rock
uses: a car commercial; a road trip; a football highlight; a bar fight; a motorcycle ride; a training montage; a pub on Friday; tailgating
scenes: a wall of amplifiers; a leather jacket in the wind; a denim crowd with lighters; an open highway through the desert; a garage with the door open; a muscle car in the dust; a sold-out stadium
words: crunchy; anthemic; gutsy; roaring; swaggering; electrifying; raucous; rugged; riff-driven; full-throttle; ballsy; thunderous
eras: 70s; seventies; eighties
# indie rock
names: indie rock; indie; alternative; jangle pop; indie guitar music; college rock; dream-pop rock; bedroom indie
uses: a coming-of-age film; a road trip montage; a bicycle advert; a festival afternoon; a thrift-store haul; a first kiss scene; growing up
scenes: a skateboard on a suburban street; a polaroid summer; a van full of friends; sparklers in the back yard; headphones on the last bus; corduroy jackets in the park; a photo booth at the fair
words: jangling; scrappy; wistful; sun-bleached; earnest; shimmering; lanky; driving; bittersweet; boyish
eras: 2000s; noughties
# punk rock
names: punk rock; punk; pop punk; skate punk; hardcore punk; garage punk; three-chord punk; street punk
uses: a skate park; a riot scene; a food fight; a high-school comedy; a mosh pit; a protest march; smashing things
scenes: ripped jeans and safety pins; a basement full of sweat; a mohawk in the front row; spilled beer and broken strings; a shopping trolley down a hill; a detention hall in flames; photocopied flyers
words: snotty; frantic; bratty; blistering; scruffy; rebellious; thrashing; breakneck; shouting; sloppy; furious
eras: 1977; late seventies; nineties
# metal
names: metal; heavy metal; thrash metal; metalcore; death metal; groove metal; progressive metal; power metal; metal riff
uses: a boss fight; a demon level; weight lifting; a monster truck; a battle scene; a horror video game; an arm-wrestling final
scenes: a burning forge; skulls and lightning; an army of orcs; a headbanging crowd; a volcano about to blow; chains and black leather; a gate to hell; a wrecking ball
words: crushing; brutal; chugging; pummelling; savage; ferocious; thunderous; merciless; blistering; bludgeoning; infernal; down-tuned
eras: eighties; modern
# grunge
names: grunge; 90s grunge; Seattle sound; alternative rock; sludge rock; nineties rock; post-grunge
uses: a teen drama; a rainy drive; a skate video; a slacker comedy; an angsty diary; a documentary about the nineties
scenes: flannel shirts and ripped jeans; rain over Seattle; a thrift-store cardigan; a feedback-soaked garage; a motel pool full of leaves; greasy hair and a cheap guitar
words: sludgy; murky; angsty; raw; unwashed; heavy; slouching; fuzzy; disaffected; snarling
eras: nineties; 1991; early nineties
# surf rock
names: surf rock; surf music; surf guitar; instrumental surf; spaghetti surf; beach party rock; hot rod music; twangy surf
uses: a surf film; a beach party; a hot rod race; a retro spy spoof; a tiki bar; a chase on jet skis; a drive-in movie
scenes: a giant wave curling over; woodie wagons on the beach; bikinis in Technicolor; a bonfire on the sand; sharks circling; Malibu in 1963; a board waxed and ready
words: twangy; reverb-drenched; splashy; tremolo-picked; breakneck; salty; wet; sun-bleached; drag-racing; beachy
eras: 60s; 1963; early sixties
# post-rock
names: post-rock; cinematic rock; instrumental rock; crescendo rock; atmospheric rock; shoegaze; ambient rock
uses: a nature documentary; a slow-motion sports film; a mountain climb; a tearful finale; a drone shot; a marathon film
scenes: a storm rolling over the hills; an avalanche in slow motion; a lone walker on a ridge; city lights from a mountain; icebergs calving; the last day of summer; an airplane above the clouds
words: soaring; towering; shimmering; widescreen; swelling; cathartic; panoramic; glistening; expansive; heart-bursting; tidal
eras: 2000s
# pop
names: pop; pop music; pop instrumental; radio pop; modern pop; feel-good pop; summer pop; chart pop; bubblegum pop; commercial pop
uses: a commercial; a makeover montage; a vlog; a birthday party; a shopping mall; a dance tutorial; a product launch; a beach day; teenagers
scenes: a convertible full of friends; a pastel bedroom; a carousel at the pier; bubblegum and sunglasses; a confetti cannon; ice creams melting; a school corridor on the last day; jumping on hotel beds
words: catchy; polished; bright; bubbly; radio-ready; glossy; sunny; hooky; breezy; peppy; sing-along; sparkling
eras: modern; 2010s; contemporary
# power ballad
names: power ballad; rock ballad; 80s power ballad; emotional ballad; stadium ballad; slow rock; lighter-waving ballad
uses: a wedding first dance; a break-up montage; a talent show final; an ice-skating routine; an end-credits song; a karaoke night
scenes: lighters swaying in the dark; hair blowing in slow motion; a kiss at the airport; a windswept cliff; a bouquet left on the doorstep; rain-soaked lovers
words: soaring; heart-wrenching; dramatic; tear-jerking; sweeping; big-haired; impassioned; larger-than-life; overwrought; yearning
eras: eighties; 1980s; 1987
# folk
names: folk; folk music; acoustic folk; indie folk; folk song; singer-songwriter folk; pastoral folk; traditional folk; Americana
uses: a campfire; a farmers' market; a hiking film; a wedding in a barn; a documentary about bees; a porch at dusk; a knitting circle; a family slideshow
scenes: a cabin in the woods; wheat fields in the wind; a porch swing creaking; woollen jumpers and mugs of tea; a river through the valley; apples in a wooden crate; a dirt road in September; bees in the heather
words: earthy; rustic; homespun; wholesome; windblown; honest; woody; weathered; pastoral; neighbourly; hand-made; hearthside
# acoustic guitar
names: acoustic guitar; fingerstyle guitar; guitar instrumental; unplugged guitar; fingerpicked guitar; classical guitar; solo guitar mood; acoustic ballad
uses: a wedding ceremony; a campfire; a slow morning; a cooking video; a love letter; a nature vlog; a yoga class; a gentle advert
scenes: a hammock between two trees; morning light on a wooden floor; a letter by the window; a mountain hut; autumn leaves on a bench; barefoot on the veranda; a kettle beginning to sing
words: intimate; fingerpicked; woody; delicate; resonant; unadorned; tender; mellow; warm-hearted; close-up
# country
names: country; country music; country and western; honky-tonk; Nashville country; outlaw country; country rock; bluegrass-tinged country
uses: a rodeo; line dancing; a truck commercial; a road trip; a barbecue; a county fair; a ranch documentary; fishing with dad
scenes: a pickup truck on a gravel road; boots by the screen door; hay bales at sundown; a rodeo rider tipping his hat; a diner off the interstate; horses along the fence; a porch light in Tennessee; beers on a tailgate
words: twangy; down-home; rootsy; dusty; boot-scooting; plain-spoken; rollicking; heartland; homespun; sun-worn
eras: classic; seventies
# bluegrass
names: bluegrass; bluegrass breakdown; old-time music; hoedown; mountain music; Appalachian music; banjo music; string band; newgrass
uses: a barn dance; a car chase in a cornfield; a moonshine comedy; a county fair; a cooking show from Kentucky; a river rafting clip
scenes: a barn full of dancers; moonshine in a jar; a creek in the Appalachians; overalls and straw hats; chickens scattering in the yard; a porch in the Smoky Mountains; a runaway tractor
words: rip-roaring; galloping; sprightly; knee-slapping; rolling; breakneck; rustic; pickin'; frisky; hootenanny
# celtic
names: celtic; irish jig; celtic dance; irish folk; irish reel; ceilidh music; traditional irish music; Scottish dance; pub session
uses: a pub night; a ceilidh; Saint Patrick's Day; a fantasy tavern; a step-dance class; a travel film about Ireland; a medieval fair
scenes: dancing on a wooden table; a pint of stout by the fire; green cliffs above the Atlantic; a stone bridge in Connemara; a tavern full of hobbits; sheep on a windy hill; a wedding in Galway
words: sprightly; lilting; whirling; foot-tapping; merry; skipping; spirited; reeling; frolicking; emerald
# celtic ballad
names: celtic ballad; irish air; slow air; celtic lament; scottish ballad; highland music; celtic fantasy music; gaelic air
uses: a fantasy film; a funeral; a meditation on the moors; a fairy tale; a wedding aisle; a documentary about Scotland
scenes: mist over the loch; a ruined abbey by the sea; a widow watching the harbour; heather in the evening; standing stones at dawn; a selkie on the rocks; peat smoke and rain
words: misty; longing; haunting; windswept; ancient; bittersweet; silvery; lamenting; fey; moonlit
# sea shanty
names: sea shanty; shanty; sailor song; pirate music; nautical folk; work song; maritime folk; pirate shanty
uses: a pirate game; a tall ship regatta; a harbour festival; a tavern brawl; a treasure hunt; a drinking game
scenes: hauling on the ropes; barrels of rum below deck; a storm off Cape Horn; a parrot on a shoulder; lanterns in a harbour tavern; a map with a red cross; whales off the bow; a creaking galleon
words: rollicking; salty; heave-ho; hearty; rum-soaked; swaying; stomping; swashbuckling; weather-beaten; boisterous
# baroque
names: baroque; baroque music; baroque chamber music; early music; courtly music; concerto style; Bach-like counterpoint; eighteenth-century music; harpsichord music
uses: a museum; a costume drama; a banquet; studying geometry; a palace tour; a wedding procession; a chess tournament
scenes: powdered wigs and candlelight; a hall of mirrors; a formal garden with fountains; a quill scratching on parchment; a carriage arriving at Versailles; gilded cherubs; a masked ball in Venice
words: ornate; stately; contrapuntal; gilded; noble; filigree; dignified; clockwork; intricate; courtly; regal
eras: 1700s; eighteenth century; baroque era
# classical
names: classical; classical music; Viennese classical; chamber music; Mozart-like music; sonata; classical era; salon music; divertimento
uses: a dinner party; a costume drama; a tea room; a museum audio guide; a ballet class; brain training; a bank advert; a nature film
scenes: a salon in Vienna; silver spoons and porcelain; a landscape garden with swans; lace fans and whispers; a letter sealed with wax; sunlight in a marble hall
words: elegant; balanced; refined; graceful; polished; witty; courteous; lucid; poised; light-footed
eras: 1780s; eighteenth century; classical era
# string quartet
names: string quartet; string chamber music; strings; classical strings; chamber strings; quartet music; bowed strings
uses: a wedding ceremony; a period drama; a gallery opening; a quiet dinner; a documentary about painting; a garden wedding
scenes: four chairs in a circle; a chapel filled with flowers; autumn in an orchard; a portrait in oil; a winter afternoon in Prague; rosin dust in the light
words: woody; lyrical; intertwined; conversational; heartfelt; burnished; singing; yearning; eloquent; autumnal
# solo strings
names: solo strings; unaccompanied strings; classical solo; lonely strings; string soliloquy; bowed solo
uses: a funeral; a war memorial; an art film; a contemplative podcast; a museum; a solitary walk
scenes: a single chair on an empty stage; snow on a battlefield; a candle in a chapel; an old man remembering; a closed theatre; bare trees in November
words: solitary; plaintive; singing; resonant; grieving; naked; woody; searching; unadorned; noble
# romantic piano
names: romantic piano; piano nocturne; classical piano; romantic piano music; piano ballad; solo piano; Chopin-like piano; piano music; lyrical piano
uses: a love scene; a candlelit dinner; a rainy evening; a period romance; a proposal; falling asleep; a ballet class; writing poetry
scenes: a grand salon by moonlight; rain on a Paris window; a dried rose between pages; white curtains in the breeze; a letter from the front; an empty ballroom; the last leaf on the tree; two hands almost touching
words: tender; swooning; lyrical; rippling; wistful; ardent; delicate; moonlit; confiding; rhapsodic; poetic; nocturnal
eras: nineteenth century; 1800s; romantic era
# modern piano
names: modern piano; neoclassical piano; contemporary piano; felt piano; cinematic piano; minimal piano; emotional piano; solo piano; calm piano; sad piano
uses: a documentary; studying; grieving; a wedding film; an anime scene; a slow morning; meditation; a memorial video; writing; a charity appeal
scenes: dust in a beam of light; footprints in fresh snow; a swing moving in the wind; an old photograph; a window seat on a night train; an attic full of boxes; the first day without her; a paper boat on a stream
words: fragile; felted; sparse; introspective; glassy; bittersweet; hushed; unresolved; pensive; nostalgic; hopeful; quiet
eras: contemporary; modern
# minimalism
names: minimalism; minimal music; minimalist music; pulse music; systems music; repetitive minimalism; phase music; minimalist classical
uses: a time-lapse film; a science documentary; an architecture film; deep concentration; a data visualisation; a factory tour; a gallery
scenes: clouds in fast forward; clockwork turning; a murmuration of starlings; traffic seen from a tower; cells dividing; a loom at full speed; sunlight flickering through a train window; dominoes falling
words: pulsing; interlocking; mesmerising; kaleidoscopic; patterned; mathematical; shimmering; looping; patient; gleaming; cellular
eras: 1970s; contemporary
# waltz
names: waltz; Viennese waltz; waltz in three; ballroom waltz; valse; French waltz; slow waltz; dance in three-four
uses: a ballroom; a carousel; a wedding dance; an ice rink; a fairy tale; a Parisian film; a snow globe; a masked ball
scenes: chandeliers and spinning skirts; a carousel at dusk; ice skaters on a frozen canal; a palace in Vienna; a couple turning in the kitchen; autumn on the Danube; an accordionist under a bridge
words: whirling; twirling; elegant; swaying; lilting; gracious; swirling; old-world; chivalrous; dizzy
eras: nineteenth century; old-world
# music box lullaby
names: music box lullaby; lullaby; music box; cradle song; nursery music; bedtime music; toy-box tune; baby music; children's lullaby
uses: putting a baby to sleep; bedtime stories; a nursery; a fairy tale; a baby mobile; a children's book; a memory scene
scenes: a ballerina turning on a box; a night light shaped like a moon; teddy bears on a shelf; a mobile above the cradle; snow behind the curtains; a lost toy in the attic; stars on the ceiling; counting sheep
words: tinkling; twinkling; tiny; innocent; drowsy; fragile; sweet; porcelain; dreamy; hushed; childlike
# choral hymn
names: choral hymn; choral music; hymn; sacred choir; church choir; choral piece; chorale; sacred music
uses: a church service; a wedding; a funeral; a Christmas Eve; a state ceremony; a monastery documentary; remembrance day
scenes: candles in a dark cathedral; stone arches and incense; monks in procession; light through a rose window; a village church in winter; an abbey at vespers; angels painted on a ceiling
words: reverent; solemn; heavenly; pious; consoling; luminous; stately; seraphic; devout; echoing
# church organ
names: church organ; pipe organ music; organ music; cathedral organ; organ prelude; sacred organ; organ chorale; gothic organ
uses: a wedding procession; a cathedral tour; a funeral; a vampire film; an Easter service; a haunted mansion; a coronation
scenes: a cathedral shaking with sound; a thousand pipes of tin; a count at his keyboard; bishops in procession; dust falling from the vault; gargoyles in a thunderstorm; a bride at the door
words: towering; majestic; thunderous; gothic; liturgical; imposing; grandiose; reverberant; solemn; vaulted
# march
names: march; military march; brass band march; marching band; parade music; patriotic march; circus march; wind band
uses: a parade; a graduation; a football half-time; an opening ceremony; a circus entrance; a military film; a town fair
scenes: polished boots in step; flags along the avenue; a baton thrown in the air; elephants entering the ring; medals and white gloves; a mayor cutting a ribbon; confetti on Main Street
words: brisk; pompous; rousing; strutting; stirring; proud; upright; ceremonial; gallant; jaunty
eras: 1890s; old-fashioned
"""
