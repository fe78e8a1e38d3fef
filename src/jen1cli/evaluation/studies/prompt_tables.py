"""The tables of `jen1 evaluate prompts`."""

from collections.abc import Callable, Mapping, Sequence

from jen1cli.evaluation import form_measures, note_measures, sound
from jen1cli.evaluation.adherence import AdherenceRow
from jen1cli.evaluation.clips import Audit
from jen1cli.evaluation.embeddings.embedding import SET_EMBEDDINGS
from jen1cli.evaluation.intervals import Estimate, mean_interval
from jen1cli.evaluation.report import Table, evenly
from jen1cli.evaluation.sets import Measured, Reference, compare, join
from jen1cli.evaluation.studies.judging import JudgedClip

_BOTH = ("", "music", "real music")


def show_adherence(rows: Sequence[AdherenceRow]) -> Table:
    """Return the table of every question with its floor and ceiling."""
    return Table(
        "adherence",
        "What was asked for is heard",
        ("", "music", "shuffled prompts", "real music", "way", "clips"),
        tuple(
            (
                row.name,
                row.value if row.value.count else None,
                row.floor if row.floor.count else None,
                row.ceiling if row.ceiling.count else None,
                row.way,
                str(row.value.count),
            )
            for row in rows
        ),
        unit="%",
        plot="together",
        note="Only prompts that name the thing count. Way: 0 is the floor (the same music against"
        " other prompts), 100 % the ceiling (real music against its captions). 95 % bootstrap"
        " intervals. Text cosine and energy are correlations.",
    )


def show_quality(
    made: Sequence[JudgedClip], real: Sequence[JudgedClip], audit: Audit, real_audit: Audit | None
) -> Table:
    """Show what signal analysis says of the sound, and how many clips were left out."""
    lines = (
        ("steadiness of partials below 3 kHz", lambda one: one.scored.analysis.steadiness),
        ("percussive share", lambda one: one.scored.analysis.percussive),
        ("key strength", lambda one: one.scored.analysis.key_strength),
        ("level, dB", lambda one: one.level_db),
        ("side against mid, dB", lambda one: one.width_db),
        ("instruments heard", lambda one: float(sum(
            p >= 0.5 for p in one.scored.tags.instruments.values()
        ))),
    )  # fmt: skip
    return Table(
        "sound",
        "Sound",
        _BOTH,
        (
            *((name, *_means(made, real, take)) for name, take in lines),
            ("clips left out (silent, ...)", _left_out(audit), _left_out(real_audit)),
        ),
        note="By signal analysis, but for the instruments. Clips that were left out are not in any"
        " figure above or below; the warnings name them.",
    )


def show_heard(made: Sequence[JudgedClip], real: Sequence[JudgedClip]) -> Table:
    """Show attacks, tones and air of the music beside those of real music."""
    rows = _all_means(made, real, lambda one: one.sound)
    return Table("heard", "Attacks, tones and air", _BOTH, rows, note=sound.NOTE)


def show_notes(made: Sequence[JudgedClip], real: Sequence[JudgedClip]) -> Table:
    """Show density, melody and chord roots of the music beside those of real music."""
    rows = _all_means(made, real, lambda one: one.notes)
    return Table("notes", "Notes", _BOTH, rows, note=note_measures.NOTE)


def show_form(made: Sequence[JudgedClip], real: Sequence[JudgedClip]) -> Table:
    """Show how much colour and level change over the music and over real music."""
    rows = _all_means(made, real, lambda one: one.form)
    return Table("form", "Form", _BOTH, rows, note=form_measures.NOTE)


def _all_means(
    made: Sequence[JudgedClip],
    real: Sequence[JudgedClip],
    measures: Callable[[JudgedClip], Mapping[str, float]],
) -> tuple[tuple[str | Estimate | None, ...], ...]:
    """Return a row for each measure of the clips, with its means."""
    return tuple(
        (name, *_means(made, real, lambda one, name=name: measures(one)[name]))
        for name in measures(made[0])
    )


def _means(
    made: Sequence[JudgedClip], real: Sequence[JudgedClip], take: Callable[[JudgedClip], float]
) -> tuple[Estimate | None, ...]:
    """Return the mean of a figure over the music and over real music; None where none has it."""
    both = [mean_interval([take(one) for one in side]) for side in (made, real)]
    return tuple(found if found.count else None for found in both)


def _left_out(audit: Audit | None) -> str | None:
    return None if audit is None else f"{audit.clips - audit.used} of {audit.clips}"


def show_distances(made: Sequence[JudgedClip], real: Sequence[JudgedClip]) -> Table:
    """Return KAD and FAD of generated to real music, and of other real music to real music.

    Args:
        made: at least two clips.
        real: at least three clips; the row of other real music needs four.
    """
    lines = []
    yardstick, other = real[0::2], real[1::2]
    ours = evenly(made, max(2, len(other)))  # as many as real ones: FAD depends on it
    for place, name in enumerate(SET_EMBEDDINGS):
        theirs = _as_set(yardstick, place, name)
        for title, clips in (("music", ours), ("real music", other)):
            if len(clips) < 2:
                continue
            measured = _as_set(clips, place, name)
            found = compare(measured, Reference.of(theirs))
            lines.append((f"{name}: {title}", found.kad, found.fad, found.kl_sets, str(len(clips))))
    return Table(
        "distances",
        "Likeness of the whole set",
        ("", "KAD", "FAD", "KL of styles", "clips"),
        tuple(lines),
        note=f"To {len(yardstick)} clips of real music, in windows of five seconds; lower is"
        " better. The lines of other real music are what perfect music would reach. FAD is raised"
        " by few clips, on all lines alike; KAD is not.",
        plot="apart",
    )


def _as_set(clips: Sequence[JudgedClip], place: int, name: str) -> Measured:
    found = [(one.rows[place], one.labels if name == "tagger" else None) for one in clips]
    return join(name, "", found, tuple(one.scored.name for one in clips))
