"""Plays real MIDI files in three styles, and measures chords and melody as heard.

The files are those of four Debian packages with free licences (openttd-openmsx GPL-2,
planetblupi-music-midi GPL-3, mma GPL-2, freedoom BSD-3-Clause), which are not part of this
repository. Results are kept in FOLDER/results.jsonl, so that an interrupted run goes on:

    apt-get download openttd-openmsx planetblupi-music-midi mma freedoom
    for package in *.deb; do dpkg-deb -x "$package" midi; done
    python benchmarks/midi_files.py midi
"""

import json
import statistics
import struct
import sys
from pathlib import Path

from jen1cli import Jen1
from jen1cli.errors import Jen1Error
from jen1cli.evaluation.analysis import analyze, chord_accuracy, melody_accuracy, tempo_matches
from jen1cli.midi import Tune, read_midi

FILES = {
    "usr/share/games/openttd/baseset/openmsx": (
        "city_blues_redfarn.mid", "tttheme2.mid", "harp_harmony.mid", "midnight_snow_run.mid",
        "modern_motion.mid", "the_hobo_redfarn.mid",
    ),
    "usr/share/planetblupi/music": (
        "music000.mid", "music002.mid", "music004.mid", "music006.mid", "music008.mid",
    ),
    "usr/share/doc/mma/examples": (
        "lyrics/twinkle.mid", "simple/bill-bailey.mid", "simple/marine-hymn.mid",
        "tutorial/deep-river.mid",
    ),
    "usr/share/games/doom/freedoom2.wad": (
        "D_RUNNIN", "D_STALKS", "D_COUNTD", "D_DOOM", "D_ROMERO",
    ),
}  # fmt: skip
"""Folder, or archive of a game, and the files in it."""
PROMPTS = ("solo piano", "synthwave", "string quartet")
SECONDS = 10.0
MEASURES = ("chords", "melody", "tempo")


def read_lump(archive: Path, name: str) -> bytes:
    """Return an entry of a WAD archive: a directory of (place, size, name) at its end."""
    data = archive.read_bytes()
    count, place = struct.unpack_from("<II", data, 4)
    for at in range(place, place + 16 * count, 16):
        start, size, label = struct.unpack_from("<II8s", data, at)
        if label.rstrip(b"\0").decode() == name:
            return data[start : start + size]
    raise FileNotFoundError(f"{archive} has no {name}")


def read_tunes(folder: Path) -> dict[str, Tune]:
    """Read all files; one that cannot be read is named and left out."""
    found = {}
    for place, names in FILES.items():
        for name in names:
            path = folder / place
            try:
                data = read_lump(path, name) if path.is_file() else (path / name).read_bytes()
                found[name] = read_midi(data, name=name)
                print(*found[name].report, sep="\n", file=sys.stderr)
            except Jen1Error as error:
                print(f"{name}: {error}", file=sys.stderr)
    return found


def main() -> None:
    """Play and measure what is not yet measured, and print the table."""
    folder = Path(sys.argv[1])
    tunes = read_tunes(folder)
    results = folder / "results.jsonl"
    rows = [json.loads(line) for line in results.open()] if results.exists() else []
    done = {(row["file"], row["prompt"]) for row in rows}
    model = Jen1.load()
    for number, prompt in enumerate(PROMPTS):
        for index, (name, tune) in enumerate(tunes.items()):
            if (name, prompt) in done:
                continue
            seed = 100 * number + index
            music = model.generate(prompt, seconds=SECONDS, seed=seed, controls=tune.controls)
            heard = analyze(music.waveform.numpy(), music.sample_rate)
            others = [other.controls for key, other in tunes.items() if key != name]
            row = {
                "file": name, "prompt": prompt, "seed": seed,
                "chords": chord_accuracy(heard.chroma, tune.controls),
                "melody": melody_accuracy(heard.chroma, tune.controls),
                "tempo": float(tempo_matches(heard.bpm, tune.controls.bpm)),
                "chords floor": _mean(chord_accuracy(heard.chroma, one) for one in others),
                "melody floor": _mean(melody_accuracy(heard.chroma, one) for one in others),
                "tempo floor": _mean(tempo_matches(heard.bpm, one.bpm) for one in others),
            }  # fmt: skip
            rows.append(row)
            with results.open("a") as file:
                file.write(json.dumps(row) + "\n")
    _print_table(rows)


def _mean(values) -> float | None:
    known = [float(value) for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _print_table(rows: list[dict]) -> None:
    print("| words | files |", " | ".join(f"{name} (floor)" for name in MEASURES), "|")
    print("|---|---|", "|".join("---" for _ in MEASURES), "|", sep="")
    for prompt in (*PROMPTS, None):
        some = [row for row in rows if prompt in (None, row["prompt"])]
        cells = [
            " ".join(
                f"{100 * value:.0f} %" if column == name else f"({100 * value:.0f})"
                for column in (name, f"{name} floor")
                if (value := _mean(row[column] for row in some)) is not None
            )
            for name in MEASURES
        ]
        print("|", prompt or "all", "|", len(some), "|", " | ".join(cells), "|")
    print("\n| file |", " | ".join(f"{p}: chords, melody" for p in PROMPTS), "|")
    print("|---|", "|".join("---" for _ in PROMPTS), "|", sep="")
    for name in dict.fromkeys(row["file"] for row in rows):
        of = {row["prompt"]: row for row in rows if row["file"] == name}
        cells = [
            ", ".join(_percent(of[p][what]) for what in ("chords", "melody")) if p in of else ""
            for p in PROMPTS
        ]
        print(f"| {name} |", " | ".join(cells), "|")


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}"


if __name__ == "__main__":
    main()
