"""The examples in the help of every verb, as data; the tests parse each of them."""

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "jen1": (
        ('jen1 generate "lofi piano" -o out.wav', "ten seconds of music"),
        (
            'jen1 generate "lofi piano" -o - | jen1 continue - --seconds 10 -o - | aplay',
            "made, extended and played without a file",
        ),
    ),
    "generate": (
        (
            'jen1 generate "deep house" --bpm 122 --key "F minor"',
            "ten seconds; the file is named after prompt and seed",
        ),
        (
            'jen1 generate "warm jazz trio, brushed drums" --seconds 30 --seed 7 -o trio.flac',
            "the same again with the same seed",
        ),
        (
            'jen1 generate "slow ambient pad" -n 4 -o "takes/{slug}-{index}.{ext}"',
            "four takes with the seeds s, s+1, s+2, s+3",
        ),
        ("jen1 generate --from prompts.txt --json", "one prompt per line, one JSON object each"),
    ),
    "inpaint": (
        ("jen1 inpaint take.wav --mask 3-6s -o fixed.wav", "replace three seconds, keep the rest"),
        (
            'jen1 inpaint take.wav --mask 0:12-0:14.5 --mask 40s-end --prompt "soft drums"',
            "two ranges, guided by a prompt",
        ),
        ("jen1 inpaint loop.flac --mask bars:5-8 --bpm 120", "four bars of 4/4"),
        ("jen1 inpaint - --mask start-2s -o - < in.wav > out.wav", "in a pipe"),
    ),
    "continue": (
        ("jen1 continue intro.wav --seconds 20 -o longer.wav", "twenty seconds more"),
        (
            'jen1 continue intro.wav --before --seconds 4 --prompt "quiet piano"',
            "four seconds in front of it",
        ),
        ("jen1 continue - --context 8 -o - < intro.wav > longer.wav", "in a pipe"),
    ),
    "encode": (
        ("jen1 encode take.wav -o take.safetensors", "audio to a latent file"),
        ("jen1 encode album/ -o latents/", "a folder; its tree is kept"),
    ),
    "decode": (
        ("jen1 decode take.safetensors -o take-back.wav", "a latent file to audio"),
        ("jen1 decode latents/ -o album-back/ --format flac", "a folder; its tree is kept"),
    ),
    "info": (
        ("jen1 info lofi-piano-7.wav", "prompt, seed and settings that made the file"),
        ("jen1 info take.safetensors --json", "facts of a latent file for a script"),
    ),
    "again": (
        ("jen1 again lofi-piano-7.wav -o same.wav", "make the file again from its own recipe"),
        ("jen1 again fixed.wav --input take.wav --json", "an edit, its input moved since"),
    ),
    "doctor": (
        ("jen1 doctor", "what works here, and what to do about the rest"),
        ("jen1 doctor --json", "the same for a script or a bug report"),
    ),
    "models": (
        ("jen1 models list", "weight sets on this machine, and presets"),
        ("jen1 models show jen1 --json", "parameter counts of each part"),
        ('ls "$(jen1 models path jen1-mini)"', "where the weights are"),
    ),
    "train": (
        ("jen1 train all my-music/ -o run --minutes 180", "both stages from nothing, by the clock"),
        ("jen1 train diffusion run/latents -o run/model --dry-run", "sizes, and nothing else"),
        (
            "jen1 train finetune my-music/ -o run/mine --minutes 60",
            "the bundled model, whole",
        ),
        ("jen1 train finetune my-music/ -o run/mine --lora 8 --minutes 20", "a small LoRA file"),
    ),
    "evaluate": (
        (
            "jen1 evaluate prompts --reference music --reference-split test -o report",
            "does music follow its words? 240 test prompts, between floor and ceiling",
        ),
        (
            "jen1 evaluate audio takes --reference album -e handcrafted",
            "one folder against another: KAD, FAD, FAD-infinity, KL, text score",
        ),
        ("jen1 evaluate codec music --split test -o report", "what survives the autoencoder"),
        (
            "jen1 evaluate listen ours=takes/ theirs=others/ -o test.html",
            "a blind listening test in one page",
        ),
    ),
}


def epilog(verb: str) -> str:
    """Return the examples of a verb as the last part of its help; blank lines keep them apart."""
    lines = ["[bold]Examples[/bold]"]
    for command, meaning in EXAMPLES[verb]:
        shown = command.replace("[", "\\[")
        lines.append(f"[dim]# {meaning}[/dim]\n[cyan]{shown}[/cyan]")
    return "\n\n".join(lines)
