"""Errors that a user can mend: one sentence each, shown as one line by the command."""


class Jen1Error(Exception):
    """What is wrong, what was seen, what to do; the parent of all errors a user can fix."""


class AudioError(Jen1Error):
    """An audio file that is missing, broken, empty or of a kind we do not take."""


class CheckpointError(Jen1Error):
    """A weight set that is missing, damaged, incomplete or too new."""


class ConfigError(Jen1Error):
    """A configuration, option or range that makes no sense."""


class DataError(Jen1Error):
    """A folder of music, a manifest or a SoundFont that cannot be used."""


class OutputError(Jen1Error):
    """A file or folder that cannot be written."""
