"""Audio files and signals without torch: read, write, edit in place, resample, measure.

Signals are NumPy arrays of float32, `[channels, samples]`, in the range -1 to 1. Files are
read and written by soundfile (libsndfile) and resampled by soxr.
"""

from jen1cli.audio.files import (
    AudioInfo,
    Signal,
    Source,
    blocks,
    check,
    digest,
    name_of,
    probe,
    read,
    sample_digest,
)
from jen1cli.audio.joining import crossfade, extrapolate
from jen1cli.audio.loudness import (
    LoudnessMeter,
    db_to_amplitude,
    fast_loudness,
    loudness,
    true_peak,
)
from jen1cli.audio.metadata import GENERATED, PARTLY_GENERATED, Loop, edited_source_type
from jen1cli.audio.recipe_text import Marks, read_marks, read_recipe_text
from jen1cli.audio.resampling import (
    Resampler,
    mono_blocks,
    resample,
    resampled_length,
    samples_to_seconds,
    seconds_to_samples,
    to_channels,
)
from jen1cli.audio.splicing import Patch, spliced, spliced_length, write_spliced
from jen1cli.audio.wav_stream import wav_frame, wav_samples
from jen1cli.audio.writing import (
    DECODED_TAGS,
    GENERATED_TAGS,
    OUTPUT_SUFFIXES,
    FileFormat,
    Target,
    check_format,
    choose_format,
    encoded,
    is_exact,
    to_bytes,
    write,
    write_blocks,
)

__all__ = [
    "DECODED_TAGS",
    "GENERATED",
    "GENERATED_TAGS",
    "OUTPUT_SUFFIXES",
    "PARTLY_GENERATED",
    "AudioInfo",
    "FileFormat",
    "Loop",
    "LoudnessMeter",
    "Marks",
    "Patch",
    "Resampler",
    "Signal",
    "Source",
    "Target",
    "blocks",
    "check",
    "check_format",
    "choose_format",
    "crossfade",
    "db_to_amplitude",
    "digest",
    "edited_source_type",
    "encoded",
    "extrapolate",
    "fast_loudness",
    "is_exact",
    "loudness",
    "mono_blocks",
    "name_of",
    "probe",
    "read",
    "read_marks",
    "read_recipe_text",
    "resample",
    "resampled_length",
    "sample_digest",
    "samples_to_seconds",
    "seconds_to_samples",
    "spliced",
    "spliced_length",
    "to_bytes",
    "to_channels",
    "true_peak",
    "wav_frame",
    "wav_samples",
    "write",
    "write_blocks",
    "write_spliced",
]
