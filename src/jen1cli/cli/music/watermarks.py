"""The search for the watermark of the spectral decoder, for `jen1 info --watermark`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jen1cli.audio import Source
    from jen1cli.autoencoder.watermark import Watermark


def watermark_facts(source: "Source") -> dict[str, Any]:
    """Search a file for the watermark of the bundled model, with the user's key and without.

    Returns:
        `found`; `key`, the fingerprint of the user's key if that is what was found; `strength`, the
        largest of any segment in standard deviations of chance; `passages` [from, to) in seconds
        that carry it.

    Raises:
        Jen1Error: the file cannot be read, or the key in the environment is too short.
    """
    from jen1cli.audio import mono_blocks
    from jen1cli.autoencoder.watermark import (
        FOUND,
        WatermarkSearch,
        environment_key,
        find_watermarks,
        fingerprint,
    )
    from jen1cli.config import SpectralConfig
    from jen1cli.presets import preset

    config = preset("mini").autoencoder
    assert isinstance(config, SpectralConfig)
    results: dict[str, list[Watermark]] = {}
    for key in {environment_key(), ""}:
        search = WatermarkSearch(config, key)
        results[key] = find_watermarks(mono_blocks(source, config.sample_rate), search)
    best = max(results, key=lambda key: _strength(results[key]))
    passages: list[list[float]] = []
    for mark in results[best]:
        if mark.strength < FOUND:
            continue
        if passages and passages[-1][1] == mark.start:
            passages[-1][1] = mark.stop
        else:
            passages.append([mark.start, mark.stop])
    return {
        "found": bool(passages),
        "key": fingerprint(best) if passages and best else None,
        "strength": round(_strength(results[best]), 1),
        "passages": [[round(start, 3), round(stop, 3)] for start, stop in passages],
    }


def watermark_text(facts: dict[str, Any]) -> str:
    """Return what was found in words."""
    if not facts["found"]:
        return f"none (strength {facts['strength']:g}; found from 8 on)"
    passages = ", ".join(f"{start:g}-{stop:g} s" for start, stop in facts["passages"])
    whose = f"of your key {facts['key']}" if facts["key"] else "of jen1-mini's decoder"
    return f"{whose}, in {passages} (strength {facts['strength']:g}; chance: about 5)"


def _strength(marks: "list[Watermark]") -> float:
    return max((mark.strength for mark in marks), default=0.0)
