# ruff: noqa: E501 - one groove line per row
"""Drum grooves, their small variations, and fills.

A groove is a set of lines, one per sound: `X` accent, `x` stroke, `o` soft, `g` ghost, `r` two quick
strokes, `t` three. Several grooves of one name vary each other.
"""

from functools import lru_cache

from jen1cli.corpus.dice import Dice
from jen1cli.corpus.plan import Plan, Touch, perform
from jen1cli.corpus.rhythm import read_pattern
from jen1cli.corpus.score import Note

KEYS: dict[str, int] = {
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "clap": 39,
    "snare2": 40,
    "tom4": 41,
    "hat": 42,
    "tom3": 45,
    "pedal": 44,
    "open": 46,
    "tom2": 47,
    "crash": 49,
    "tom1": 50,
    "ride": 51,
    "china": 52,
    "bell": 53,
    "tamb": 54,
    "splash": 55,
    "cowbell": 56,
    "crash2": 57,
    "bongo_h": 60,
    "bongo_l": 61,
    "conga_m": 62,
    "conga_h": 63,
    "conga_l": 64,
    "timb_h": 65,
    "timb_l": 66,
    "agogo_h": 67,
    "agogo_l": 68,
    "cabasa": 69,
    "shaker": 70,
    "guiro": 73,
    "guiro_l": 74,
    "claves": 75,
    "block_h": 76,
    "block_l": 77,
    "triangle": 81,
}

_LEVEL = {"X": 0.95, "x": 0.76, "o": 0.5, "g": 0.28, "r": 0.62, "t": 0.55}

# name: meter, then alternatives separated by a line with "/"
GROOVES: dict[str, str] = {
    "lofi": """4/4
kick  X.....x...X.....
snare ....X.......X..g
hat   x.o.x.o.x.o.x.o.
/
kick  X......xX.......
snare ....X..g....X...
hat   xoxoxoxoxoxoxoxo
/
kick  X..x......X..x..
snare ....X.......X...
hat   x.x.x.x.x.x.x.xo
rim   ..............g.
/
kick  X.......x.X.....
rim   ....X.......X...
hat   x.o.x.oox.o.x.o.
shaker o.g.o.g.o.g.o.g.
""",
    "boom_bap": """4/4
kick  X.x.....x.X.....
snare ....X..g.g..X...
hat   X.x.X.x.X.x.X.x.
/
kick  X......x..X..x..
snare ....X.......X..g
hat   X.x.X.x.X.x.X.xo
/
kick  X..x..x...X.....
snare ....X..g....X...
hat   x.x.x.x.x.x.x...
open  ..............x.
/
kick  X.X.......Xx....
snare ....X.......X.g.
hat   xxx.x.x.xxx.x.x.
""",
    "trap": """4/4
kick  X......x..x.....
clap  ........X.......
hat   x.x.x.x.x.x.xrx.
/
kick  X.....x.....x...
clap  ........X.......
hat   xxxxxxrxxxxxx.tx
open  ....x...........
/
kick  X..x......x..x..
snare ........X.......
hat   x.xxx.x.x.xrx.x.
/
kick  X.........xX....|X..x......x.....
clap  ........X.......|........X......o
hat   x.x.xrx.x.x.x.tt|x.x.x.xrx.xxxrx.
""",
    "drill": """4/4
kick  X.....x......X..|..x.......x.....
snare ......X.......X.|......X.....X...
hat   x..x..x.x..x..x.|x..x..x.x..xt.x.
""",
    "house": """4/4
kick  X...X...X...X...
clap  ....X.......X...
open  ..x...x...x...x.
hat   o.o.o.o.o.o.o.o.
/
kick  X...X...X...X...
clap  ....X.......X...
open  ..X...X...X...X.
hat   xo.oxo.oxo.oxo.o
shaker gogogogogogogogo
/
kick  X...X...X...X...
snare ....X.......X..g
hat   ..x...x...x...xo
tamb  ....x.......x...
/
kick  X...X...X...X..o
clap  ....X.......X...
open  ..x...x...x...x.
conga_h ...x..x....x..x.
conga_l x.......x.......
""",
    "techno": """4/4
kick  X...X...X...X...
open  ..x...x...x...x.
hat   gogogogogogogogo
/
kick  X...X...X...X...
hat   ..x...x...x...x.
rim   ...x..x....x..x.
clap  ....o.......o...
/
kick  X...X...X...X...
ride  ..x...x...x...x.
hat   xoxoxoxoxoxoxoxo
clap  ....x.......x...
/
kick  X...X...X...X...
open  ..X...X...X...X.
tom4  ...o..x.....o.x.
hat   o.o.o.o.o.o.o.oo
""",
    "minimal": """4/4
kick  X...X...X...X...
rim   ..o..x....o..x..
hat   ..x...x...x...x.
/
kick  X...X...X...X...
clap  ....x.......x...
hat   ..xg..xg..xg..xg
block_h ...o......o..o..
""",
    "trance": """4/4
kick  X...X...X...X...
clap  ....X.......X...
open  ..X...X...X...X.
hat   xxoxxxoxxxoxxxox
/
kick  X...X...X...X...
snare ....X.......X...
open  ..X...X...X...X.
ride  x...x...x...x...
""",
    "hardstyle": """4/4
kick  X...X...X...X...
clap  ....X.......X...
open  ..X...X...X...X.
crash X...............
""",
    "dnb": """4/4
kick  X.........X.....
snare ....X.......X...
hat   x.x.x.x.x.x.x.x.
/
kick  X.......x.X.....
snare ....X..g.g..X..g
hat   xoxoxoxoxoxoxoxo
/
kick  X.X.......X.....
snare ....X.......X.g.
hat   x.xxx.xxx.xxx.xx
ride  x...x...x...x...
/
kick  X.........X.....|X.x.......X.....
snare ....X..g.g..X...|....X..g.gg.X.g.
hat   x.x.x.x.x.x.x.x.|x.x.x.x.x.x.x.xx
""",
    "jungle": """4/4
kick  X.X.......XX....|X.X.......X.....
snare ....X..x.x..X..x|....X..x.x....X.
hat   x.x.x.x.x.x.x.x.|x.x.x.x.x.x.x.x.
/
kick  X.X.......X.....|..X.......XX....
snare ....X..g.x..X..g|.x..X..x.x..X.xx
ride  x.x.x.x.x.x.x.x.|x.x.x.x.x.x.x.x.
""",
    "breaks": """4/4
kick  X..x......X..x..
snare ....X..g....X..g
hat   x.x.x.x.x.x.x.x.
/
kick  X.X....x..X.....
snare ....X..x.g..X...
open  ..............x.
hat   x.x.x.x.x.x.x...
/
kick  X..X..X.....x...
clap  ....X.......X...
hat   xoxoxoxoxoxoxoxo
""",
    "dubstep": """4/4
kick  X...............|X.....x.........
snare ........X.......|........X.......
hat   x.x.x.x.x.xxx.x.|x.x.xrx.x.x.x.x.
/
kick  X.....x.........|X.........x.....
snare ........X.......|........X......g
hat   ..x...x...x...x.|..x...x...xxx.x.
""",
    "garage": """4/4
kick  X.........x.....
clap  ....X.......X...
hat   ..x..x..x.x..xx.
rim   ...o...o..o....o
/
kick  X......x..x.....
snare ....X.......X...
open  ..x...x...x...x.
hat   xo.oxo.oxo.oxo.o
""",
    "future": """4/4
kick  X......x..X.....
clap  ....X.......X...
hat   x.xxx.xrx.xxx.xx
/
kick  X..x..x....x..x.
snare ....X.......X...
hat   x.x.x.x.xrx.x.tt
""",
    "synthwave": """4/4
kick  X...X...X...X...
snare ....X.......X...
hat   x.x.x.x.x.x.x.x.
/
kick  X.......X.......
snare ....X.......X...
hat   xoxoxoxoxoxoxoxo
/
kick  X.....x.X.......
snare ....X.......X...
hat   x.x.x.x.x.x.x.x.
tom2  ..............xx
""",
    "disco": """4/4
kick  X...X...X...X...
snare ....X.......X...
open  ..X...X...X...X.
hat   x...x...x...x...
/
kick  X...X...X...X...
clap  ....X.......X...
open  ..X...X...X...X.
hat   xx..xx..xx..xx..
tamb  x.x.x.x.x.x.x.x.
/
kick  X...X...X...X...
snare ....X.......X..g
open  ..x...x...x...x.
cowbell x...x..x.x..x...
""",
    "funk": """4/4
kick  X..x......X..x..
snare ....X..g.g..X..g
hat   x.x.x.x.x.x.x.x.
/
kick  X.x.......x.x...
snare ....X..g.g.gX...
hat   xxxxxxxxxxxxxx..
open  ..............x.
/
kick  X.....x..x....x.
snare ....X..g....X.g.
hat   x.x.x.x.x.x.x.xx
/
kick  X.X....g..X.....|X..x..x...X..x..
snare ....X..g.g..X..g|....X..g.g..X.gg
hat   x.x.x.x.x.x.x.x.|x.x.x.x.x.x.x...
open  ................|..............x.
""",
    "soul": """4/4
kick  X.......X.x.....
snare ....X.......X...
hat   x.x.x.x.x.x.x.x.
/
kick  X.....x.X.......
rim   ....X.......X...
hat   x.x.x.x.x.x.x.x.
tamb  ....x.......x...
/
kick  X..x....X..x....
snare ....X..g....X...
hat   x.x.x.x.x.x.x.x.
""",
    "rnb": """4/4
kick  X......x..x.....
snare ....X.......X...
hat   xoxoxoxoxoxoxoxo
/
kick  X..x......x.....
clap  ....X.......X...
rim   ..........o..o..
hat   x.xox.xox.xox.xr
""",
    "gospel_68": """6/8
kick  X.....x..x..
snare ......X.....
hat   x.x.x.x.x.x.
/
kick  X....xx.....
snare ......X.....
ride  x.x.x.x.x.x.
""",
    "ballad": """4/4
kick  X.......X.....x.
rim   ....X.......X...
hat   x...x...x...x...
/
kick  X.......x.x.....
snare ....X.......X...
hat   x.o.x.o.x.o.x.o.
""",
    "pop": """4/4
kick  X.......X.x.....
snare ....X.......X...
hat   x.x.x.x.x.x.x.x.
/
kick  X..x..x.X.......
clap  ....X.......X...
hat   x.x.x.x.x.x.x.x.
shaker xoxoxoxoxoxoxoxo
/
kick  X...X...X...X...
clap  ....X.......X...
hat   ..x...x...x...x.
""",
    "jazz": """4/4
ride  X..x.xx..x.x
pedal ...x.....x..
kick  g.....g.....
snare ........g...
/
ride  X..x.xx..x.x
pedal ...x.....x..
snare .....g.....g
/
ride  X..x..x..x.x
pedal ...x.....x..
kick  ..........g.
snare ..g.....g...
""",
    "big_band": """4/4
ride  X..x.xX..x.x
pedal ...X.....X..
kick  x..o..x..o..
snare ...........o
/
ride  X..x.xX..x.x
pedal ...X.....X..
kick  x.....x.....
snare .....o...X..
""",
    "brush": """4/4
snare2 x..x.ox..x.o
pedal ...o.....o..
kick  g.....g.....
/
ride  o..x.oo..x.o
pedal ...o.....o..
snare ......g...g.
""",
    "jazz_waltz": """3/4
ride  X..x.xx..
pedal ...x.....
kick  x........
snare .....g..o
/
ride  X..x.xx.x
pedal ...x..x..
kick  x....g...
""",
    "take_five": """5/4
ride  X..x.xx..X..x.x
pedal ...x.....x..x..
kick  x........x.....
snare .....g..o...g..
/
ride  X..x.xx..X..x..
pedal ...x..x.....x..
kick  x.....g..x.....
snare ........x....g.
""",
    "shuffle": """4/4
kick  X.....X..x..
snare ...X.....X..
hat   x.xx.xx.xx.x
/
kick  X.....X.x...
snare ...X.....X..
ride  x.xx.xx.xx.x
/
kick  X.....X.....
snare ..gX.g..gX.g
hat   x.xx.xx.xx.x
""",
    "slow_blues": """4/4
kick  X.....X.x...
snare ...X.....X..
ride  xxxxxxxxxxxx
/
kick  X.....X.....
rim   ...X.....X..
hat   xxxxxxxxxxxx
""",
    "rock": """4/4
kick  X.......X.x.....
snare ....X.......X...
hat   X.x.X.x.X.x.X.x.
/
kick  X.....x.X.......
snare ....X.......X...
open  x.x.x.x.x.x.x.x.
/
kick  X.x.......X.x...
snare ....X.......X...
hat   X.x.X.x.X.x.X.x.
/
kick  X.......XX......
snare ....X.......X...
ride  X.x.X.x.X.x.X.x.
""",
    "halftime": """4/4
kick  X.......x.x.....
snare ........X.......
hat   X...x...x...x...
/
kick  X.x...........x.
snare ........X.......
open  X...x...x...x...
""",
    "punk": """4/4
kick  X...x.x.X...x.x.
snare ..X...X...X...X.
hat   X.x.X.x.X.x.X.x.
/
kick  X.....x.X.x.....
snare ....X.......X...
open  X.X.X.X.X.X.X.X.
/
kick  X.X.X.X.X.X.X.X.
snare ....X.......X...
open  X...X...X...X...
""",
    "metal": """4/4
kick  XxXxX.xxXxXxX.xx
snare ....X.......X...
china X...X...X...X...
/
kick  xxxxxxxxxxxxxxxx
snare ....X.......X...
ride  X...X...X...X...
/
kick  X..X..X.X..X..X.
snare ........X.......
china X...X...X...X...
/
kick  X.x.X.x.X.x.X.x.
snare .x.x.x.x.x.x.x.x
crash X...............
open  x...x...x...x...
""",
    "country": """4/4
kick  X.......X.......
snare ....X.......X...
hat   x.x.x.x.x.x.x.x.
/
kick  X.......X.......
snare oxoxXxoxoxoxXxox
/
kick  X...X...X...X...
snare ..X...X...X...X.
/
kick  X.....x.X.......
rim   ....X.......X...
hat   x.x.x.x.x.x.x.x.
tamb  ....o.......o...
""",
    "train": """4/4
kick  X...x...X...x...
snare oxXxoxXxoxXxoxXx
""",
    "bossa": """4/4
kick  X..xX..xX..xX..x
rim   x..x..x...x..x..
hat   x.x.x.x.x.x.x.x.
/
kick  X..xX..xX..xX..x
rim   ..x..x....x..x..
shaker xoxoxoxoxoxoxoxo
""",
    "samba": """4/4
kick  x..Xx..Xx..Xx..X
tamb  XooxXooxXooxXoox
agogo_h x.x....x..x.....
agogo_l ....x.x.....xx.x
snare oxooxoxooxoxooxo
/
kick  x..Xx..Xx..Xx..X
shaker XoxoXoxoXoxoXoxo
rim   x.x..x.x.xx.x.x.
conga_l ......X.......X.
""",
    "salsa": """4/4
claves X..x..x...x.x...
conga_m ..x...x...x...x.
conga_h ......x.......xx
conga_l x...............
cowbell x...x.x.x...x.x.
/
claves ..x.x...X..x..x.
timb_h x.xxx.x.x.xxx.x.
conga_h ..x...xx..x...xx
conga_l ......x.......x.
guiro x...x.x.x...x.x.
/
claves X..x..x...x.x...
bongo_h xoxoxoxoxoxoxoxo
bongo_l ......x.......x.
cowbell X...x.x.X...x.x.
kick  ...x....x..x....
""",
    "cumbia": """4/4
guiro x.xxx.xxx.xxx.xx
conga_h ..x...x...x...x.
conga_l x.......x.......
kick  X...X...X...X...
cowbell ..x...x...x...x.
""",
    "reggaeton": """4/4
kick  X...X...X...X...
snare ...X..X....X..X.
hat   x.x.x.x.x.x.x.x.
/
kick  X...X...X...X...
snare ...X..X....X..X.
shaker xoxoxoxoxoxoxoxo
rim   ..........o.....
""",
    "afrobeat": """4/4
kick  X..x..x...x.x...
snare ....x..x....x..x
hat   x.xxx.xxx.xxx.xx
shaker xoxoxoxoxoxoxoxo
cowbell x..x..x...x.x...
/
kick  X...x..xX...x..x
rim   ...x..x....x..x.
shaker XoxoXoxoXoxoXoxo
conga_h x..x..xx..x.x..x
""",
    "amapiano": """4/4
kick  X...X...X...X...
shaker xoxoxoxoxoxoxoxo
rim   ...x..x...x..x..
tom4  ......x..x....x.
clap  ............x...
""",
    "one_drop": """4/4
kick  ........X.......
rim   ........X.......
hat   x.x.x.x.x.x.x.x.
/
kick  ........X.......
snare ........X.....g.
hat   x.xox.xox.xox.xo
/
kick  X...X...X...X...
rim   ........X.......
hat   x.x.x.x.x.x.x.x.
""",
    "dub": """4/4
kick  ........X.......
rim   ........X......x
hat   x.x.x.x.x.x.x.x.
open  ......x.........
/
kick  X...X...X...X...
snare ........X.......
hat   ..x...x...x...x.
""",
    "ska": """4/4
kick  X.......X.......
snare ....X.......X...
hat   x.X.x.X.x.X.x.X.
/
kick  X...X...X...X...
rim   ....X.......X...
open  ..x...x...x...x.
""",
    "waltz": """3/4
kick  X...........
snare ....o...o...
hat   ....x...x...
/
kick  X...........
triangle ....x...x...
/
kick  X.........o.
pedal ....x...x...
ride  x...x...x...
""",
    "slow_68": """6/8
kick  X.....x..x..
snare ......X.....
hat   x.x.x.x.x.x.
/
kick  X..........x
rim   ......X.....
ride  x.x.x.x.x.x.
/
kick  X...x.......
snare ......X....g
hat   x.o.o.x.o.o.
""",
    "jig": """6/8
bongo_l X..o..x..o..
bongo_h ..x.x...x.x.
tamb  x.....x.....
/
kick  X.....x.....
tamb  x.o.x.x.o.x.
/
conga_l X.....X...x.
conga_h ..x.x.....x.
""",
    "reel": """4/4
bongo_l X...x...X...x...
bongo_h ..x.o.x...x.o.xo
tamb  ....x.......x...
/
kick  X...X...X...X...
tamb  x.xxx.xxx.xxx.xx
""",
    "sea": """6/8
kick  X.....X.....
snare ......x.....
tamb  x...x.x...x.
/
kick  X.....X.....
clap  ......X.....
""",
    "march": """4/4
kick  X...x...X...x...
snare x.oox.oox.oox.xx
/
kick  X...X...X...X...
snare ..x...x...x.x.rx
crash X.......X.......
/
kick  X.......X.......
snare X.rrX.rrX.X.X.rr
""",
    "epic": """4/4
kick  X.......X...x...
tom4  X..x..x.X..x..x.
tom3  ....x.......x.xx
/
kick  X...............
tom4  X.x.x.X.x.x.X.x.
tom3  ..x...x...x...xx
tom2  ..............x.
/
kick  X.......X.......
tom4  X..X..X.X..X..X.
snare ............x.rr
""",
    "epic_68": """6/8
kick  X.....X.....
tom4  X.xx..X.xx..
tom3  ......x...xx
/
kick  X...........
tom4  X..x..x..x..
tom3  ..........xx
""",
    "cinema": """4/4
kick  X...............
tom4  ........x.......
/
kick  X.......o.......
tom3  ............o.oo
""",
    "tribal": """4/4
tom4  X..x..x.X..x..x.
tom3  ..x..x....x..x..
shaker xoxoxoxoxoxoxoxo
/
conga_l X.....x.X.....x.
conga_h ..x.x...x.x.x..x
tom4  X.......X.......
shaker x.o.x.o.x.o.x.o.
""",
    "chip": """4/4
kick  X...X...X...X...
snare ....X.......X...
hat   x.x.x.x.x.x.x.x.
/
kick  X.....x.X.x.....
snare ....X.......X...
hat   xoxoxoxoxoxoxoxo
/
kick  X.xx....X.x.....
snare ....X.......X.xx
hat   x.x.x.x.x.x.x.x.
""",
    "soft": """4/4
shaker x.o.x.o.x.o.x.o.
kick  x.......x.......
/
kick  x.......x.x.....
rim   ....o.......o...
shaker xgogxgogxgogxgog
""",
    "taiko": """4/4
tom4  X...x.x.X...x.x.
block_h ....x.......x...
/
tom4  X..x..x.x.x.X...
tom3  ..........x...xx
""",
    "tabla": """4/4
bongo_h x.xox.x.xox.x.xo
bongo_l X.....x...X.....
tamb  x...x...x...x...
/
conga_h X..x.ox.x..xoxo.
conga_l X.....X...X.....
tamb  ....x.......x...
""",
    "darbuka": """4/4
bongo_l X.....X.X.......
bongo_h ..x.xx..x.xxx.xx
tamb  x...x...x...x...
/
conga_l X...X.......X...
conga_h ..x...x.x.x...x.
tamb  ....x.x.....x.xx
/
bongo_l X.....X.....X...
bongo_h ..xox.xoxox.xox.
shaker xoxoxoxoxoxoxoxo
""",
    "palmas": """4/4
clap  X.xxX.xxX.xxX.xx
bongo_l X.......X.......
/
clap  ..X...X.X...X.X.
block_h x.x.x.x.x.x.x.x.
/
clap  x.xXx.xXx.xXx.xX
conga_l X.....x.X.....x.
""",
    "sleigh": """4/4
tamb  XoxoXoxoXoxoXoxo
kick  x.......x.......
/
tamb  X.x.X.x.X.x.X.x.
triangle x.......x.......
snare2 ....o.......o...
""",
    "motown": """4/4
kick  X.....x.X.......
snare X...X...X...X...
tamb  ..x...x...x...x.
/
kick  X.......X.x.....
snare ....X.......X...
tamb  x.x.x.x.x.x.x.x.
""",
    "boom": """4/4
kick  X...............|................
/
kick  X.......x.......
/
kick  X...............
tom4  ............o...
""",
    "polka": """2/4
kick  X...X...
snare ..X...X.
/
kick  X...X...
snare ..x...xo
hat   ..x...x.
""",
    "tango": """4/4
kick  X...x...x...x...
snare ............o.xx
""",
    "ragtime": """4/4
kick  X.......X.......
snare ....x.......x...
block_h x..x..x.x..x..x.
""",
    "surf": """4/4
kick  X.......X.x.....
snare ....X.X.....X...
ride  X.x.X.x.X.x.X.x.
/
kick  X...x...X...x...
snare ....X.XX....X...
hat   X.x.X.x.X.x.X.x.
""",
    "bounce": """4/4
kick  X...........X...
clap  ....X.......X...
hat   ..x...x...x...x.
shaker o.o.o.o.o.o.o.o.
/
kick  X.....X...X.....
clap  ....X.......X...
tamb  ..x...x...x...x.
block_h x.......x..x....
""",
    "industrial": """4/4
kick  X.xX..X.X.xX..X.
snare ....X.......X...
block_l ..x..x....x..x..
hat   xxxxxxxxxxxxxxxx
/
kick  X...X...X...X...
snare ....X..x....X.xx
china X.......X.......
""",
}

# Fills: one bar of sixteenths, of which the last beats are used; alternatives separated by "/".
FILLS: dict[str, str] = {
    "toms": """
snare x.xxx...........
tom1  ....x.xx........
tom2  ........x.xx....
tom4  ............x.xx
kick  X.......X.......
/
snare X.X.....xx..x...
tom1  ....x.x...xx..x.
tom3  ...............x
tom4  .............x.x
kick  X...X...X...X...
/
snare xxxx............
tom1  ....xxxx........
tom2  ........xxxx....
tom4  ............xxxX
""",
    "snare": """
snare ........x.x.xxxX
kick  X...X...X...X...
/
snare ....X..x.x..X.XX
kick  X.....x...X.....
/
snare ....X...x.xxXxxX
kick  X.......X.......
""",
    "soft": """
snare ....X.......X.gx
kick  X.....x...X.....
/
rim   ....X.......x.x.
kick  X.........X.....
/
snare ....X..g....x..g
kick  X.....x.........
open  ..............x.
""",
    "roll": """
snare oxoxoxoxxxxxXrXr
kick  X...X...X...X...
/
clap  x...x...x.x.xxxx
kick  X...X...X...X...
/
snare ........xxxxrrrr
kick  X...X...X.......
""",
    "cut": """
kick  X...X...........
clap  ............X...
/
kick  X.......X.X.....
clap  ....X.......X.xx
/
kick  X...X...X...X...
open  ..x...x...x.x.xx
clap  ....X..x....X.x.
""",
    "trap": """
hat   x.x.x.xrttttrrtt
clap  ........X.......
kick  X......x........
/
hat   rrrrxxttx.......
snare ........X...x.xx
kick  X...............
""",
    "jungle": """
snare ....X.xx.xXx.xXx
kick  X.X.....X..X..X.
hat   x.x.x.x.x.x.x.x.
/
snare x..x..x.x..x.xxx
kick  X.X...X...X.....
""",
    "latin": """
timb_h x.xxx.x.xxx.X...
timb_l ...........xx.X.
claves X..x..x...x.x...
/
conga_h xxoxxxoxxx......
conga_l ..........xxX.X.
""",
    "jazz": """
snare o..x.xx..xXx
ride  x..x.xx..x..
kick  ......x..x.X
/
snare ..xxo.x.xx.x
pedal ...x.....x..
kick  x.....x.....
""",
    "brush": """
snare2 x..x.ox.ox.x
pedal ...o.....o..
""",
    "epic": """
tom4  X..x..x.X.x.XxXx
tom3  ..x...x...x.xxxx
snare ........oooxxxXX
/
tom4  X...X...X.X.XXXX
kick  X...X...X...X...
""",
    "march": """
snare x.rrx.rrxxxxX...
kick  X...X...X...X...
""",
    "shuffle": """
snare ...X.xx.xXxx
kick  X.....x.....
/
snare ......xxx...
tom1  .........x..
tom3  ..........x.
tom4  ...........X
kick  X.....X..X..
""",
    "none": "",
}


@lru_cache(maxsize=1024)
def _alternatives(text: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    found: list[tuple[tuple[str, str], ...]] = []
    for block in text.strip().split("/\n"):
        lines = [line.split() for line in block.strip().splitlines()]
        found.append(tuple((line[0], line[1]) for line in lines if len(line) == 2))
    return tuple(block for block in found if block)


def read_groove(name: str) -> tuple[str, tuple[tuple[tuple[str, str], ...], ...]]:
    """The meter of a groove and its alternatives: rows of sound and steps."""
    head, _, body = GROOVES[name].partition("\n")
    return head.strip(), _alternatives(body)


def _stroke(beat: float, key: int, symbol: str, step: float) -> list[Note]:
    level = _LEVEL[symbol]
    if symbol in "rt":
        count = 2 if symbol == "r" else 3
        return [
            Note(beat + i * step / count, step / count, key, level + 0.08 * i) for i in range(count)
        ]
    return [Note(beat, step, key, level)]


def write_drums(plan: Plan, groove: str, fill: str, touch: Touch, busy: float) -> tuple[Note, ...]:
    """A drum part for the whole clip.

    Args:
        plan: The frame of the clip.
        groove: Key of `GROOVES`.
        fill: Key of `FILLS`; each phrase ends with one.
        touch: How human it is played.
        busy: 0 keeps to the pattern, 1 varies it in almost every bar.
    """
    dice = plan.dice.stream("drums")
    written, blocks = read_groove(groove)
    main = dice.pick(blocks)
    second = dice.pick(blocks) if dice.chance(0.5) else main
    notes: list[Note] = []
    bar_beats = plan.meter.beats
    for bar in range(plan.bars):
        start = bar * bar_beats
        section = plan.section(start)
        block = second if plan.sections.index(section) % 2 else main
        last_of_phrase = (bar + 1) % plan.phrase == 0
        fill_from = bar_beats
        rolls = section.name == "build" and fill == "roll"
        if rolls and start + bar_beats >= section.start_beat + section.length_beats - 1e-6:
            fill_from = 0.0
        elif last_of_phrase and fill != "none" and dice.chance(0.45 + 0.5 * section.energy):
            fill_from = bar_beats - dice.pick((1.0, 1.0, 2.0, 2.0, bar_beats))
        bar_notes = _bar(plan, written, block, bar, dice, busy, section.energy)
        notes += [n for n in bar_notes if n.beat < start + fill_from - 1e-6]
        if fill_from < bar_beats:
            notes += _fill(plan, fill, start, fill_from, dice)
        if _wants_crash(plan, bar, groove) and dice.chance(0.35 + 0.6 * section.energy):
            notes.append(Note(start, 2.0, KEYS["crash"], 0.6 + 0.3 * section.energy))
    return perform(plan, notes, touch, dice)


def write_hits(plan: Plan, groove: str, low: int, high: int, touch: Touch) -> tuple[Note, ...]:
    """A groove on one tuned drum: kicks on the tonic, everything else on the fifth."""
    dice = plan.dice.stream("hits")
    written, blocks = read_groove(groove)
    block = dice.pick(blocks)
    root = low + (plan.tonic - low) % 12
    fifth = root + 7 if root + 7 <= high else root - 5
    notes: list[Note] = []
    for bar in range(plan.bars):
        for note in _bar(plan, written, block, bar, dice, 0.0, plan.energy(bar * plan.meter.beats)):
            pitch = root if note.pitch == KEYS["kick"] else fifth
            notes.append(Note(note.beat, 2.0, pitch, note.velocity))
    return perform(plan, notes, touch, dice)


def _wants_crash(plan: Plan, bar: int, groove: str) -> bool:
    quiet = ("lofi", "jazz", "brush", "bossa", "salsa", "soft", "minimal", "tabla", "one_drop")
    if groove in (*quiet, "waltz", "jig", "reel", "cinema", "taiko", "tribal", "samba"):
        return False
    start = bar * plan.meter.beats
    return bar > 0 and any(abs(s.start_beat - start) < 1e-6 for s in plan.sections)


def _bar(
    plan: Plan,
    written: str,
    block: tuple[tuple[str, str], ...],
    bar: int,
    dice: Dice,
    busy: float,
    energy: float,
) -> list[Note]:
    notes: list[Note] = []
    bar_beats = plan.meter.beats
    for sound, line in block:
        pattern = read_pattern(line, plan.meter.name, written)
        offset = (bar % pattern.bars) * bar_beats
        if energy < 0.3 and sound in ("tamb", "cowbell", "china", "crash"):
            continue
        for step in pattern.steps:
            place = step.beat - offset
            if not -1e-6 <= place < bar_beats - 1e-6:
                continue
            symbol = step.symbol
            if energy < 0.35 and symbol == "g":
                continue
            if busy and symbol in "go" and dice.chance(0.25 * busy):
                continue
            found = _stroke(bar * bar_beats + place, KEYS[sound], symbol, step.length)
            level = 0.82 + 0.22 * energy
            notes += [Note(n.beat, n.duration, n.pitch, n.velocity * level) for n in found]
    if busy:
        notes += _extras(plan, block, bar, dice, busy)
    return notes


def _extras(
    plan: Plan, block: tuple[tuple[str, str], ...], bar: int, dice: Dice, busy: float
) -> list[Note]:
    """Ghost strokes and an extra kick here and there."""
    sounds = {sound for sound, _ in block}
    start = bar * plan.meter.beats
    steps = int(plan.meter.beats * 4)
    extras: list[Note] = []
    if "snare" in sounds and dice.chance(0.5 * busy):
        place = dice.integer(1, steps - 1)
        if place % 4:
            extras.append(Note(start + place / 4, 0.2, KEYS["snare"], 0.24))
    if "kick" in sounds and dice.chance(0.35 * busy):
        place = dice.pick([s for s in range(2, steps) if s % 4 in (2, 3)])
        extras.append(Note(start + place / 4, 0.2, KEYS["kick"], 0.55))
    if "hat" in sounds and bar % 2 and dice.chance(0.4 * busy):
        extras.append(Note(start + plan.meter.beats - 0.5, 0.5, KEYS["open"], 0.5))
    return extras


def _fill(plan: Plan, name: str, start: float, fill_from: float, dice: Dice) -> list[Note]:
    block = dice.pick(_alternatives(FILLS[name]))
    notes: list[Note] = []
    bar_beats = plan.meter.beats
    for sound, line in block:
        pattern = read_pattern(line)
        for step in pattern.steps:
            place = step.beat - (4.0 - bar_beats)
            if place < fill_from - 1e-6 or place >= bar_beats - 1e-6 or place < 0:
                continue
            notes += _stroke(start + place, KEYS[sound], step.symbol, step.length)
    return notes
