# ruff: noqa: E501 - one list per row
"""Words for electronic and urban styles: names, uses, images, textures."""

TEXT = """
# house
names: house; house music; club house; dance music; piano house; classic house; house groove; four-on-the-floor house; Chicago house; soulful house; funky house
uses: dancing; a rooftop party; a fashion runway; the warm-up set; a fitness class; cleaning the flat; a poolside DJ; pre-drinks with friends; a car showroom video; a festival afterparty
scenes: a crowded dance floor at midnight; mirror-ball light on a concrete wall; a summer terrace in Ibiza; hands in the air; a basement club with low ceilings; a limousine crossing the city; sunglasses after dark; confetti on wet asphalt
words: pumping; punchy; clubby; glossy; sweaty; steady; feel-good; strutting; bumping; jacking
eras: 1980s; nineties; modern
# deep house
names: deep house; deep house music; soulful deep house; mellow house; late-night house; chilled house; lounge house; melodic house
uses: a cocktail bar; a hotel lobby; driving at night; working late; a sunset boat trip; a boutique store; winding down after the club; a skincare advert
scenes: city lights through a taxi window; the last hour before dawn; a velvet sofa and dim lamps; slow ripples on a swimming pool; an elevator up to the skybar; fog over the marina; a quiet loft with tall windows
words: velvety; submerged; understated; plush; silky; rounded; subdued; sleek; nocturnal; immersive
# acid house
names: acid house; acid; acid techno; 303 acid; warehouse acid; rave music; acid track
uses: a warehouse party; an illegal rave; a strobe-lit dance floor; a skate edit; a retro rave documentary; a hackathon
scenes: a yellow smiley on a black wall; a field off the motorway in 1989; strobes and dry ice; a squat full of cables; sweat dripping from a tin roof; melting neon
words: squelching; bubbling; resonant; wiggly; psychedelic; bleepy; corrosive; twisting; liquid; feverish
eras: late 80s; second summer of love
# techno
names: techno; techno track; warehouse techno; Berlin techno; Detroit techno; minimal techno; industrial techno; hard techno; dark techno; peak-time techno
uses: a warehouse rave; a midnight run; coding sprints; a cyberpunk film; a strobe installation; a long motorway drive; a gym session; a factory montage
scenes: a concrete bunker pulsing in the dark; steel doors and red light; robots on an assembly line; an abandoned power station; a tunnel that never ends; rows of blinking servers; smoke machines and lasers; the subway at four in the morning
words: pounding; stripped-down; industrial; clanking; monotone; metallic; throbbing; austere; machine-like; punishing; pulsating; tunnelling
eras: nineties; contemporary
# trance
names: trance; uplifting trance; trance anthem; vocal-free trance; melodic trance; progressive trance; club trance; euphoric trance; Balearic trance
uses: a festival main stage; a laser show; running the last kilometre; a sunrise set; a space documentary; an arena light show; a racing game; a personal best
scenes: lasers over a sea of hands; the sun coming up over the festival; flying above the clouds; a comet crossing the sky; fireworks above the arena; an open highway to the horizon; an ocean of lighters
words: anthemic; shimmering; rushing; majestic; ecstatic; glowing; weightless; celestial; tidal; radiant
eras: late 90s; early 2000s; Y2K
# hardstyle
names: hardstyle; hard dance; rawstyle; gabber-like hard dance; festival hardstyle; hard rave
uses: lifting weights; a mosh at a festival; a boxing match entrance; an adrenaline video; a demolition derby; a stunt reel
scenes: pyrotechnics over a stadium; thousands jumping in unison; a jackhammer on steel; a runaway rollercoaster; flames shooting from the stage; an energy drink commercial
words: distorted; brutal; thumping; screaming; ferocious; relentless; hammering; overdriven; explosive; savage
# drum and bass
names: drum and bass; drum'n'bass; dnb; d&b; liquid drum and bass; rolling drum and bass; jump-up; neurofunk; 174 music
uses: a drone race; a parkour video; a snowboarding edit; late-night gaming; a getaway scene; a time trial; commuting at speed; a pirate radio show
scenes: headlights on a wet motorway; a chase across rooftops; skyscrapers in fast forward; bicycle couriers in traffic; a bullet train through the rain; a night bus across London; a glitching hologram
words: rolling; breakneck; skittering; rapid; turbulent; razor-sharp; kinetic; hyperactive; slippery; high-velocity
eras: nineties; contemporary
# jungle
names: jungle; jungle music; oldschool jungle; ragga jungle; breakbeat jungle; amen jungle; 90s jungle
uses: a pirate radio broadcast; a retro racing game; a skateboard video; a cult documentary; a basement rave; a graffiti timelapse
scenes: a tower block with a transmitter on the roof; vinyl spinning at the wrong speed; a sweaty soundclash; steam from a manhole; camouflage jackets and whistles; a dubplate fresh from the cutter
words: chopped; frantic; scattered; rugged; wild; tumbling; stuttering; clattering; dense; murky
eras: early nineties; 1994
# breakbeat
names: breakbeat; big beat; breaks; nu skool breaks; funky breaks; electro breaks; block-rocking beats
uses: an action trailer; a sports montage; a car chase; a video game menu; a BMX edit; a bank heist scene
scenes: a stunt driver sliding round a corner; a boombox on a basketball court; sneakers on a gymnasium floor; a street dance battle; a pinball machine gone mad; a convoy of motorcycles
words: chunky; punchy; swaggering; crunchy; rowdy; explosive; party-starting; bouncing; gritty; beefy
eras: late nineties
# dubstep
names: dubstep; brostep; bass music; wobble music; heavy dubstep; half-time bass music; filthy dubstep
uses: a gaming montage; a robot battle; a monster truck rally; an extreme sports clip; testing subwoofers; a villain reveal; a mech fight
scenes: giant robots wrestling; a building collapsing in slow motion; an angry machine waking up; lightning in a junkyard; a shark in black water; the ground splitting open; alien machinery grinding
words: growling; snarling; lurching; monstrous; wobbling; stomping; grinding; bone-rattling; crushing; dirty; colossal
eras: 2010s; circa 2011
# uk garage
names: UK garage; 2-step; two-step garage; garage; UKG; speed garage; London garage
uses: a barbecue in London; getting ready to go out; a trainers advert; a car boot full of speakers; a house party; city cycling
scenes: champagne in a sweaty club; council flats at golden hour; a night bus full of laughter; shiny shirts and fresh trainers; a corner shop at midnight; rain on the Thames
words: skippy; shuffling; bubbly; swung; snappy; flirtatious; syncopated; elastic; bumping; sharp-dressed
eras: around 2000; millennium
# future bass
names: future bass; melodic bass; kawaii future bass; chill trap; festival future bass; emotional bass drop
uses: a travel vlog; an anime opening; a gaming stream intro; a graduation video; a phone commercial; a highlight reel; a cosplay video
scenes: cherry blossoms in slow motion; a neon arcade in Osaka; a burst of coloured powder; jumping on a trampoline at sunset; a hologram pop star; candy-coloured clouds; sparklers on a beach
words: sparkling; bubbly; lush; wobbly; bright; glittering; sugary; huge; colourful; heart-swelling
eras: 2010s; modern
# synthwave
names: synthwave; retrowave; outrun; 80s synthwave; darksynth; dreamwave; eighties synth music; retro synth
uses: a night drive; a retro arcade; a neon title sequence; a sci-fi podcast intro; a VHS-style edit; racing along the coast; an 80s workout tape; a cyber-noir game
scenes: a red sports car on an empty freeway; palm trees against a magenta sky; a wireframe sunset grid; a rain-slick boulevard in Miami; an arcade after closing time; a chrome logo in space; a payphone under neon; laser grids and mirrored shades
words: neon-lit; analog; gated; chrome; glossy; retro-futuristic; pulsating; steely; sun-soaked; cruising; magenta
eras: 80s; eighties; 1984; 1980s
# synth pop
names: synth pop; synthpop; electropop; new wave; 80s pop; electronic pop; new romantic; techno-pop
uses: a roller disco; a teen movie montage; a fashion shoot; a karaoke bar; a neon diner scene; a retro advert; a bedroom dance party
scenes: shoulder pads and eyeliner; a cassette in a walkman; a shopping mall in 1985; flashing floor tiles; a polaroid of the school dance; lipstick on a mirror; a train across Europe
words: catchy; shiny; crisp; robotic; peppy; sleek; bittersweet; snappy; plastic; hooky
eras: 80s; eighties; early 1980s
# vaporwave
names: vaporwave; mallsoft; slowed-down muzak; future funk haze; chillwave; hypnagogic pop; vapor
uses: a dead mall walkthrough; scrolling at three in the morning; a glitch art video; daydreaming; an aesthetic slideshow; falling asleep on the sofa
scenes: marble busts on a pink grid; an empty shopping centre with fountains; a screensaver from 1995; palm leaves reflected in glass; a hotel pool at night; a broken VCR; fluorescent lights humming; an infomercial at dawn
words: hazy; warped; slowed; syrupy; blurry; pastel; drowsy; faded; woozy; submerged; uncanny
eras: early nineties; retro
# trip hop
names: trip hop; trip-hop; Bristol sound; downbeat; cinematic trip hop; noir beats; dark downtempo
uses: a detective drama; a smoky bar scene; walking home alone; an art-house film; a moody lookbook; a late-night radio show
scenes: cigarette smoke under a lamp; wet cobblestones in Bristol; a stranger in a trench coat; an old projector flickering; a hotel corridor at night; a half-empty glass of whisky; shadows through venetian blinds
words: smoky; dusty; crackling; shadowy; sluggish; haunted; narcotic; brooding; stylish; sultry; noirish
eras: nineties
# downtempo
names: downtempo; chillout; chill-out; organic downtempo; ethno electronica; beach lounge; world chill; slow house
uses: a yoga retreat; a beach bar at sunset; a massage; a travel documentary; a desert festival; a tea house; a slow morning; body painting
scenes: a caravan crossing the dunes; hammocks between palms; incense and carpets; a camp fire by the sea; a balcony over the old town; lanterns floating upriver; barefoot dancers at dusk
words: earthy; unhurried; sun-warmed; organic; rolling; atmospheric; tranquil; exotic; mellow; fluid; drifting
# ambient
names: ambient; ambient music; atmospheric music; ambient soundscape; space music; new age; meditation music; ethereal ambient; chill ambient; sleep music
uses: meditation; sleeping; yoga; deep focus; breathing exercises; a planetarium; a spa; reading; a guided relaxation; floating in a tank; calming a newborn; journaling; studying
scenes: snow falling on a still lake; the earth from orbit; mist over pine trees; a glacier in blue light; drifting among stars; the bottom of the ocean; sunlight through leaves; an empty beach at dawn; aurora over the tundra; a greenhouse at night; slow clouds above the plain
words: airy; weightless; gauzy; vaporous; slow-blooming; drifting; translucent; glacial; hushed; boundless; tranquil; ethereal; soft-focus; crystalline; billowing
# drone
names: drone; drone music; drone ambient; deep drone; sustained tones; minimal drone; tonal drone; overtone music
uses: meditation; an art installation; a sound bath; a gallery; deep listening; a ritual; a slow film; trance states
scenes: a monolith in the desert; wind turbines in fog; an endless plain; the hum of the universe; a temple at the edge of the world; molten metal cooling; a ship's engine far away; time standing still
words: static; sustained; unmoving; monolithic; resonant; hypnotic; endless; heavy; saturated; humming; immense; glowing
# dark ambient
names: dark ambient; dark soundscape; horror ambience; ominous ambient; black ambient; dungeon ambience; sinister atmosphere
uses: a horror game; a haunted house; a true crime podcast; a role-playing session; a ghost story; a dystopian film; a Halloween maze
scenes: an abandoned hospital; a cellar with no light; ruins under a dead sky; footsteps in an empty mine; a derelict spaceship; a forest where nothing moves; something breathing behind the door; a drowned city
words: cavernous; bleak; murky; desolate; ghastly; subterranean; chilling; oppressive; hollow; nightmarish; rumbling; decaying
# berlin school
names: Berlin school; kosmische music; cosmic synth music; sequencer music; space synth; krautrock electronics; analog sequencer piece; progressive electronic
uses: a planetarium show; a science documentary; coding through the night; a space simulator; model railways; a hyperspace jump; stargazing
scenes: satellites crossing the night; a machine dreaming; a star chart unfolding; mission control at night; crystal geometry; a slow flight over Mars; blinking lamps on a modular wall; the rings of Saturn
words: sequenced; motorik; interstellar; pulsating; analog; galactic; evolving; mechanical; trance-inducing; gliding; orbital
eras: 70s; seventies; 1975
# lofi
names: lofi; lo-fi; lofi hip hop; lo-fi hip-hop; chillhop; lofi beats; study beats; lofi chill; bedroom beats; jazzhop; lofi instrumental; chill beats
uses: studying; homework; reading; a rainy afternoon; journaling; coding; drawing; a coffee shop; falling asleep; a slow Sunday; cramming before exams; watering plants; baking bread; a stream's waiting screen
scenes: a girl doing homework by the window; raindrops on the glass; a cat asleep on the keyboard; a desk lamp at two in the morning; steam from a mug of tea; a train passing in the distance; polaroids on a bedroom wall; an old cassette player; fairy lights and blankets; autumn leaves on the balcony; a tiny flat in Tokyo; a library after closing
words: dusty; crackly; hazy; cozy; sleepy; muffled; jazzy; homely; drowsy; soft; woolly; grainy; comforting; unhurried; faded; sunlit
# boom bap
names: boom bap; boom-bap; oldschool hip hop; hip hop; rap instrumental; golden age hip-hop; 90s hip hop beat; jazz rap beat; east coast beat; freestyle beat
uses: freestyling; a cypher; a rap battle; a skate video; a barbershop; a basketball mixtape; writing rhymes; a graffiti documentary
scenes: a stoop in Brooklyn; a crate of old records; a spray can on a subway car; kids breakdancing on cardboard; a boombox on a shoulder; a corner store in August; headphones in the cold; chain-link fences and concrete
words: dusty; hard-hitting; gritty; knocking; raw; crunchy; jazzy; head-nodding; rugged; soulful; swinging; scratchy
eras: nineties; golden age; 1993; oldschool
# trap
names: trap; trap beat; dark trap; trap instrumental; Atlanta trap; hard trap; melodic trap; 808 trap
uses: a rap freestyle; a gym session; a street race; a sneaker drop; a gangster film; a boxing entrance; a gaming montage; flexing
scenes: a black SUV rolling through town; gold chains and smoke; an empty parking garage; a penthouse above the storm; stacks of cash on a table; a wolf in the snow; red and blue lights on brick walls; graveyard shift in Atlanta
words: booming; menacing; icy; rattling; hard; ominous; sparse; sinister; bouncy; lurking; heavy-hitting; brooding
eras: 2010s; modern
# drill
names: drill; UK drill; drill beat; New York drill; sliding 808 drill; dark drill instrumental; Brooklyn drill
uses: a rap freestyle; a street documentary; a crime series; a night ride; a fight scene; a hoodie lookbook
scenes: a balaclava in the headlights; a tower block stairwell; a moped speeding off; frost on a car roof; a stare across the street; shutters coming down; CCTV footage at night
words: sliding; cold; jittery; sinister; tense; icy; aggressive; prowling; sharp; shadowy
eras: 2020s; modern
# r&b
names: R&B; rnb; contemporary R&B; slow jam; alternative R&B; bedroom R&B; smooth R&B; 90s R&B; quiet storm
uses: a candlelit dinner; a bubble bath; a date night; texting your crush; slow dancing; a perfume advert; getting over someone
scenes: silk sheets and city lights; a bathtub full of petals; a convertible on the coast at night; a phone glowing in the dark; two shadows on the wall; a rooftop in July; lipstick on a wine glass
words: silky; sultry; slinky; seductive; buttery; tender; glossy; hushed; slow; satin; longing; steamy
eras: nineties; 2000s; modern
# neo soul
names: neo soul; neo-soul; nu soul; jazzy soul; alternative soul; organic soul; soulful hip-hop groove
uses: a poetry slam; a natural wine bar; Sunday brunch; a vinyl listening session; cooking with friends; an open mic night; braiding hair
scenes: incense in a Brooklyn loft; plants in every window; a turntable and a rug; warm light on brown skin; a jam session after midnight; a mural in Philadelphia; tea with honey
words: buttery; behind-the-beat; velvety; jazzy; sun-warmed; woozy; supple; honeyed; loose; grown-up
eras: late nineties; modern
# funk
names: funk; funk groove; 70s funk; funky groove; jazz-funk; slap funk; deep funk; funk jam; P-funk
uses: a cooking show; a dance-off; a roller rink; a cop show chase; a sneaker advert; a block party; a heist montage; doing the dishes
scenes: platform shoes on a lit floor; a purple Cadillac with fur seats; an afro comb and gold rings; a street fair in August; a barbershop full of jokes; a TV detective sliding over the bonnet
words: slapping; tight; greasy; strutting; syncopated; sweaty; rubbery; sassy; percolating; gutsy; in-the-pocket; chanky
eras: 70s; seventies; 1970s
# disco
names: disco; classic disco; nu disco; 70s disco; disco funk; Studio 54 disco; string disco; Philly disco
uses: a wedding dance floor; a roller skating party; a drag show; New Year's Eve; a hen night; a fashion show; an aerobics class; a disco night
scenes: a mirror ball throwing stars; sequins and white suits; a fountain of champagne; a queue outside a New York club; roller skates on polished wood; a lit-up dance floor; feather boas in the air
words: glittering; sparkling; lush; glamorous; strutting; feverish; bubbly; opulent; sequinned; exuberant
eras: 70s; seventies; 1977
# motown
names: Motown; motown soul; 60s soul; northern soul; classic soul; Detroit soul; sixties pop soul; soul stomper
uses: a wedding; a road trip; a kitchen dance; a nostalgic film; a diner; a spring clean; a family reunion
scenes: matching suits and choreographed steps; a transistor radio on the porch; a diner with red booths; a Thunderbird on Woodward Avenue; a black-and-white television show; sunshine on a cloudy day
words: stomping; jangling; buoyant; hand-clapping; golden; irresistible; wholesome; swinging; bright; toe-tapping
eras: 60s; sixties; 1960s; 1966
# soul ballad
names: soul ballad; slow soul; soul; deep soul; southern soul; 60s soul ballad; torch song; slow dance
uses: a slow dance; a break-up scene; an anniversary; a last dance; a love letter; a tearful goodbye; a candlelit room
scenes: a lone spotlight on the stage; rain on a motel sign; the last couple on the dance floor; an unmade bed; a letter never sent; a jukebox in Memphis; tail lights disappearing
words: aching; pleading; tender; heartfelt; smouldering; devoted; bruised; velvety; slow-burning; impassioned
eras: 60s; sixties; vintage
# gospel
names: gospel; gospel music; black gospel; church music; praise music; Sunday service; gospel groove; spiritual
uses: Sunday church; a baptism; a praise break; a celebration of life; a choir rehearsal; an uplifting film ending
scenes: fans waving in wooden pews; sunlight through stained glass; robes swaying together; a small white church in Georgia; hands raised to heaven; a river baptism; tears of joy
words: jubilant; rousing; soulful; rapturous; devotional; spirited; hallelujah-shouting; uplifting; testifying; warm-hearted
"""
