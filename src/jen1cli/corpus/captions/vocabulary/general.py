# ruff: noqa: E501 - one list per row
"""Words that fit many styles: moods by character, tempo words, production, sounds."""


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", " ").split(";") if part.strip())


# (least energy, most energy, "major" | "minor" | "any") -> moods
MOODS: tuple[tuple[float, float, str, tuple[str, ...]], ...] = (
    (
        0.0,
        0.34,
        "any",
        _split(
            "calm; relaxing; soothing; gentle; tranquil; peaceful; restful; soft; quiet; mellow; slow-paced; unhurried; understated; hushed; placid; laid-back; easy; meditative; contemplative; reflective; intimate; delicate; subtle; subdued; still; light; minimal; background; comforting"
        ),
    ),
    (
        0.0,
        0.34,
        "major",
        _split(
            "serene; tender; dreamy; sweet; warm; hopeful; innocent; blissful; heavenly; soft-hearted; loving; content; sunny; pastoral; idyllic; consoling; reassuring; nostalgic; affectionate; glowing; graceful; lovely"
        ),
    ),
    (
        0.0,
        0.34,
        "minor",
        _split(
            "melancholic; melancholy; sad; wistful; lonely; sombre; mournful; pensive; bittersweet; sorrowful; brooding; introspective; gloomy; blue; longing; forlorn; yearning; autumnal; regretful; moody; plaintive; downcast; haunting; nocturnal; grey; heavy-hearted"
        ),
    ),
    (
        0.34,
        0.6,
        "any",
        _split(
            "groovy; flowing; smooth; steady; cool; easygoing; tasteful; melodic; expressive; atmospheric; cinematic; rhythmic; stylish; rich; colourful; lyrical; elegant; evocative; moderate; rolling; swaying; earnest; characterful"
        ),
    ),
    (
        0.34,
        0.6,
        "major",
        _split(
            "cheerful; friendly; positive; light-hearted; playful; sunny; bright; charming; hopeful; optimistic; good-natured; feel-good; breezy; pleasant; carefree; heart-warming; whimsical; jaunty; welcoming; buoyant; contented; amiable"
        ),
    ),
    (
        0.34,
        0.6,
        "minor",
        _split(
            "moody; dark; mysterious; serious; dramatic; tense; bittersweet; nostalgic; restless; shadowy; soulful; smouldering; enigmatic; searching; brooding; uneasy; stormy; secretive; troubled; solemn; stern; smoky"
        ),
    ),
    (
        0.6,
        0.82,
        "any",
        _split(
            "energetic; lively; upbeat; rhythmic; driving; danceable; dynamic; spirited; punchy; bouncy; vigorous; catchy; animated; bold; confident; vibrant; electrifying; infectious; bustling; forceful; busy; party; motivating; pumped-up"
        ),
    ),
    (
        0.6,
        0.82,
        "major",
        _split(
            "happy; joyful; uplifting; triumphant; exuberant; festive; celebratory; sunny; cheerful; exhilarating; jubilant; optimistic; victorious; rousing; fun; elated; merry; glad; radiant; gleeful; upbeat; bright-eyed"
        ),
    ),
    (
        0.6,
        0.82,
        "minor",
        _split(
            "intense; urgent; dark; determined; dramatic; fiery; edgy; defiant; restless; passionate; suspenseful; gritty; mysterious; stormy; tough; dangerous; fierce; heated; sharp-edged; stern"
        ),
    ),
    (
        0.82,
        1.01,
        "any",
        _split(
            "high-energy; powerful; intense; wild; explosive; frantic; relentless; adrenaline-pumping; hard-hitting; massive; loud; extreme; unstoppable; furious; full-on; turbo-charged; feverish; hyper; blazing; storming; ferocious"
        ),
    ),
    (
        0.82,
        1.01,
        "major",
        _split(
            "euphoric; ecstatic; victorious; jubilant; exhilarating; triumphant; overjoyed; blissful; rapturous; larger-than-life; glorious"
        ),
    ),
    (
        0.82,
        1.01,
        "minor",
        _split(
            "aggressive; dark; menacing; angry; brutal; savage; threatening; sinister; heavy; ruthless; apocalyptic; wrathful; raging; vicious; hostile"
        ),
    ),
)

# Synonyms of the styles' moods.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "chill": _split("chilled; chilled-out; chill-out; relaxing"),
    "relaxed": _split("easygoing; unwound; leisurely; laid-back"),
    "mellow": _split("mild; soft; rounded"),
    "cozy": _split("cosy; snug; homely; comfy"),
    "nostalgic": _split("sentimental; retro-minded; reminiscent"),
    "laid-back": _split("loose; leisurely; slouching"),
    "dark": _split("shadowy; black; sinister; gloomy"),
    "moody": _split("brooding; atmospheric; broody"),
    "energetic": _split("lively; high-spirited; vigorous"),
    "uplifting": _split("inspiring; elevating; encouraging"),
    "happy": _split("cheery; joyful; sunny; gleeful"),
    "cheerful": _split("cheery; merry; chirpy"),
    "sad": _split("sorrowful; tearful; unhappy; blue"),
    "melancholic": _split("melancholy; wistful; downhearted"),
    "romantic": _split("amorous; loving; passionate"),
    "epic": _split("grand; larger-than-life; heroic"),
    "dramatic": _split("theatrical; striking; intense"),
    "playful": _split("fun; frolicsome; teasing"),
    "gentle": _split("tender; soft; mild"),
    "dreamy": _split("reverie-like; hazy; floating"),
    "hypnotic": _split("mesmerising; entrancing; spellbinding"),
    "groovy": _split("grooving; in-the-pocket; funky"),
    "smooth": _split("silky; sleek; polished"),
    "aggressive": _split("hostile; violent; fierce"),
    "heavy": _split("weighty; crushing; dense"),
    "mysterious": _split("enigmatic; cryptic; arcane"),
    "elegant": _split("graceful; refined; classy"),
    "festive": _split("celebratory; merry; party"),
    "passionate": _split("ardent; fervent; burning"),
    "tense": _split("nervous; taut; edgy"),
    "sunny": _split("summery; bright; sun-drenched"),
    "retro": _split("vintage; throwback; old-school"),
    "warm": _split("warm-hearted; glowing; cordial"),
    "triumphant": _split("victorious; glorious; conquering"),
    "meditative": _split("contemplative; mindful; trance-like"),
    "driving": _split("propulsive; urgent; charging"),
    "intense": _split("fierce; concentrated; burning"),
    "calm": _split("tranquil; composed; serene"),
    "soulful": _split("heartfelt; deep-felt; rootsy"),
    "funky": _split("groovy; greasy; strutting"),
    "eerie": _split("uncanny; ghostly; weird"),
    "catchy": _split("memorable; hooky; earwormy"),
    "tender": _split("affectionate; caring; delicate"),
    "solemn": _split("grave; ceremonious; earnest"),
    "lively": _split("vivacious; sprightly; brisk"),
    "euphoric": _split("ecstatic; blissed-out; elated"),
    "cold": _split("icy; frosty; chilly"),
    "heartfelt": _split("sincere; earnest; touching"),
    "sensual": _split("sultry; seductive; steamy"),
    "hopeful": _split("optimistic; promising; encouraging"),
    "majestic": _split("regal; stately; noble"),
    "spacious": _split("roomy; open; wide"),
}

# (least, most felt bpm) -> words
TEMPO_WORDS: tuple[tuple[float, float, tuple[str, ...]], ...] = (
    (0, 66, _split("very slow; largo; at a crawl; extremely slow; glacially slow; in slow motion")),
    (
        0,
        84,
        _split(
            "slow; downtempo; adagio; slow-tempo; unhurried pace; leisurely pace; ballad tempo; sluggish tempo"
        ),
    ),
    (
        84,
        114,
        _split(
            "mid-tempo; moderate tempo; medium tempo; andante; walking pace; midtempo; medium pace; moderato"
        ),
    ),
    (
        114,
        132,
        _split("uptempo; brisk; allegro; upbeat tempo; dance tempo; lively tempo; quick-stepping"),
    ),
    (
        132,
        400,
        _split(
            "fast; fast tempo; presto; up-tempo; high tempo; quick; rapid; speedy; racing tempo"
        ),
    ),
    (
        164,
        400,
        _split(
            "very fast; breakneck speed; extremely fast; lightning-fast; at full speed; super fast"
        ),
    ),
)

# effect on a part or on the mix -> phrases
PRODUCTION: dict[str, tuple[str, ...]] = {
    "vinyl": _split(
        "vinyl crackle; crackling vinyl; record crackle; dusty vinyl noise; needle noise; surface noise"
    ),
    "tape": _split(
        "tape wobble; worn tape; wobbly tape sound; cassette warble; wow and flutter; old tape feel"
    ),
    "hiss": _split("tape hiss; soft hiss; cassette hiss"),
    "sidechain": _split(
        "pumping sidechain; side-chained chords; sidechain compression; ducking synths; pumping mix"
    ),
    "distortion": _split("distortion; distorted tone; overdrive; crunch; fuzz"),
    "bitcrush": _split("bitcrushed; low bitrate; crunchy bits; 8-bit grit"),
    "phaser": _split("swirling phaser; phasing; phased"),
    "tremolo": _split("tremolo; trembling tone; tremolo effect"),
    "gate": _split("gated pads; trance gate; chopped pads; stuttering gate"),
    "delay": _split(
        "echoes; delay; echo effect; long echoes; repeating echoes; dub-style echo; delay trails"
    ),
    "club": _split("club sound; big system sound"),
    "hall": _split("concert hall reverb; large hall; hall ambience; roomy reverb"),
    "church": _split("cathedral reverb; church acoustics; long reverb; echoing nave"),
    "cave": _split(
        "huge reverb; cavernous reverb; drenched in reverb; endless reverb tail; washed-out reverb"
    ),
    "plate": _split("plate reverb; glossy reverb; studio reverb"),
    "dry": _split("dry; no reverb; close and dry"),
    "room": _split("small room; intimate room; close-miked"),
    "studio": _split("studio recording; tight studio sound; clean studio sound"),
}

# kind of a sound clip -> descriptions
SOUNDS: dict[str, tuple[str, ...]] = {
    "noise": _split(
        "noise; filtered noise; hissing noise; a bed of noise; coloured noise; steady hiss; static noise; rushing air; white-noise texture; broadband noise; unchanging static"
    ),
    "noise bursts": _split(
        "noise bursts; bursts of noise; short blasts of static; crackling bursts; staccato noise; chopped static; radio static; glitchy noise; interference; electrical sputter"
    ),
    "rain": _split(
        "rain; rainfall; sound of rain; rain ambience; steady rain; pouring rain; rain for sleeping; a rainy night; drizzle; downpour; raindrops falling"
    ),
    "wind": _split(
        "wind; howling wind; wind ambience; a windy plain; gusts of wind; blowing wind; wind through a gap; a storm outside; breeze; gale"
    ),
    "waves": _split(
        "ocean waves; sea waves; waves on the shore; the sea; beach ambience; surf; rolling waves; calming waves; tide coming in; seaside"
    ),
    "rising sweep": _split(
        "rising sweep; riser; noise riser; build-up effect; upward sweep; whoosh up; tension riser; uplifter; transition effect; swoosh"
    ),
    "falling sweep": _split(
        "falling sweep; downlifter; downward sweep; whoosh down; descending noise; drop effect; falling whoosh; power-down effect"
    ),
    "sine sweep": _split(
        "sine sweep; gliding tone; frequency sweep; swept sine; sliding pure tone; test sweep; electronic glide; chirp"
    ),
    "pure tone": _split(
        "sine tone; pure tone; test tone; beep; single sine wave; steady tone; hearing test; electronic tone; plain beeps"
    ),
    "plucks": _split(
        "random plucks; scattered plucked notes; plucked strings at random; aimless plucking; isolated plucks; sparse plucked sounds; pointillist plucks"
    ),
    "bells": _split(
        "bells; scattered bells; random chimes; ringing bells; bell tones; wind-chime-like bells; tinkling; metallic ringing; bell texture"
    ),
    "impacts": _split(
        "impacts; booming hits; deep booms; heavy thuds; big hits; isolated drum hits; thunderous impacts; cinematic booms"
    ),
    "cluster": _split(
        "tone cluster; dissonant cluster; dissonant chord; atonal cluster; clashing notes; eerie cluster; sustained dissonance; avant-garde texture; Ligeti-like cluster"
    ),
    "detuned layers": _split(
        "detuned layers; layered detuned synths; beating oscillators; thick detuned sound; wide unison; detuned wall of sound; swarming synths; chorused layers"
    ),
    "low drone": _split(
        "low drone; deep drone; sub-bass drone; rumbling drone; dark hum; low rumble; bass hum; engine-like hum; ominous drone"
    ),
    "theremin": _split(
        "theremin; theremin glides; wailing theremin; spooky theremin; eerie gliding tone; science-fiction theremin; wobbly electronic voice"
    ),
    "blips": _split(
        "blips; random blips; computer blips; bleeps and bloops; electronic chatter; robot talk; data stream; telemetry; random beeps"
    ),
    "single notes": _split(
        "single notes; isolated notes; one note at a time; slow separate notes; sustained single tones; instrument test; long notes"
    ),
    "silence": _split(
        "silence; complete silence; nothing; no sound; digital silence; quiet; empty track; muted; blank audio"
    ),
}

NOUNS = _split(
    "track; piece; tune; instrumental; composition; number; recording; loop; cue; soundtrack; theme; production; arrangement; jam; song; backing track; background music"
)
OPENERS = _split(
    "I want; give me; make; play; please make; I'd like; looking for; need; compose; create; generate; can you make; write me; produce"
)
USE_LINKS = _split(
    "for; perfect for; ideal for; made for; great for; suited to; to accompany; as background for; good for"
)
SCENE_LINKS = _split(
    "like; evoking; that sounds like; reminiscent of; for a scene with; picture; inspired by; painting; as if watching; the feeling of; conjuring up; in the mood of"
)
MELODY_LINKS = _split(
    "melody on; led by; with lead; featuring; with a tune on; main theme on; spotlight on; lead part on; fronted by"
)
CHORD_LINKS = _split(
    "chords on; harmonies on; backed by; accompanied by; over; comping from; supported by; on a bed of; with"
)
BASS_LINKS = _split("underpinned by; with; low end from; anchored by; driven by; grounded by; over")
NO_DRUMS = _split(
    "no drums; without drums; drumless; no percussion; without percussion; no beat; without any drums; drum-free; beatless"
)
NO_VOCALS = _split(
    "instrumental; no vocals; without vocals; no singing; purely instrumental; no voice; vocal-free"
)
FOUR_FLOOR = _split(
    "four-on-the-floor; four to the floor; straight kick; kick on every beat; steady four-four kick; thumping kick"
)
BACKBEAT = _split("backbeat; strong backbeat; snare on two and four; steady backbeat")
ARPEGGIO = _split(
    "arpeggios; arpeggiated; broken chords; rippling arpeggios; rolling figures; flowing arpeggios"
)
SUSTAINED = _split("sustained chords; long chords; slow pads; held harmonies; swelling background")
METER_WORDS: dict[str, tuple[str, ...]] = {
    "3/4": _split("in 3/4; 3/4 time; three-four time; in triple time; in three; triple meter; 3/4"),
    "4/4": _split("in 4/4; 4/4 time; common time; four-four time; 4/4; in four"),
    "6/8": _split(
        "in 6/8; 6/8 time; six-eight time; lilting six-eight; compound time; 6/8; swaying 6/8"
    ),
    "5/4": _split(
        "in 5/4; 5/4 time; five-four time; odd meter; in five; odd time signature; 5/4; irregular meter"
    ),
    "2/4": _split("in 2/4; 2/4 time; two-four time; in two; 2/4"),
}
LEVEL_WORDS: dict[str, tuple[str, ...]] = {
    "quiet": _split(
        "very quiet; barely audible; faint; whisper-quiet; low volume; distant and soft"
    ),
    "loud": _split(
        "very loud; blasting; at full volume; ear-splitting; overdriven loud; deafening"
    ),
    "mono": _split("mono; in mono; single-channel; mono recording"),
}
