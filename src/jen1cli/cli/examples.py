"""The examples in the help of every command and sub-command, as data; the tests parse each."""

import typer

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
            'jen1 generate "deep house" --bpm 122 --key "F minor" --loop --bars 4',
            "a loop of four bars; the file is named after prompt and seed",
        ),
        (
            'jen1 generate "warm jazz trio, brushed drums" --seconds 30 --seed 7 -o trio.flac',
            "the same again with the same seed",
        ),
        (
            'jen1 generate "music box" --score tune.mid -n 2 --midi "{name}.mid"',
            "a MIDI file played as a music box, twice, and what was played as MIDI",
        ),
        (
            "jen1 generate --from prompts.jsonl -o out --shard 3/64 --resume",
            "one part of a set of any size; after an end of any kind, what is missing",
        ),
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
    "vary": (
        ("jen1 vary lofi-piano-7.wav -n 4", "four more performances of the same score"),
        ("jen1 vary lofi-piano-7.wav --amount 0.3 -o near.wav", "near the file, yet different"),
        (
            'jen1 vary lofi-piano-7.wav "same, with strings"',
            "the same noise and score with other words",
        ),
        ('jen1 vary lofi-piano-7.wav --chords "Dm7 G7 Cmaj7 A7"', "the same noise, other chords"),
    ),
    "hear": (
        ("jen1 hear song.mp3", "tempo and key, then chords, drums and melody bar by bar"),
        ("jen1 hear song.mp3 --midi song.mid", "what is sure, as a MIDI file"),
        ("jen1 hear - --json < song.wav", "every value with its confidence, for a script"),
    ),
    "cover": (
        ('jen1 cover song.mp3 "string quartet"', "all that is heard for sure, as a string quartet"),
        (
            'jen1 cover song.mp3 "music box" --keep chords,melody --seconds 20 -o box.wav',
            "its chords and melody at another tempo, the first twenty seconds",
        ),
        ('jen1 cover song.mp3 "techno" -n 4 --midi "{name}.mid"', "four, and what they play"),
    ),
    "encode": (
        ("jen1 encode take.wav -o take.safetensors", "audio to a latent file"),
        ("jen1 encode album/ -o latents/", "a folder; its tree is kept"),
        ("jen1 encode album/ -o latents/ --shard 3/64", "a part of its files"),
    ),
    "decode": (
        ("jen1 decode take.safetensors -o take-back.wav", "a latent file to audio"),
        ("jen1 decode latents/ -o album-back/ --format flac", "a folder; its tree is kept"),
    ),
    "play": (
        ("jen1 play lofi-piano-7.wav takes/", "a file, then all of a folder"),
        ("jen1 play loop.wav --repeat 4", "a loop four times"),
    ),
    "info": (
        ("jen1 info lofi-piano-7.wav", "prompt, seed and settings that made the file"),
        ("jen1 info lofi-piano-7.wav --midi score.mid", "its score as a MIDI file"),
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
    "studio": (
        ("jen1 studio", "the page, in the browser of this machine; takes are kept"),
        ("jen1 studio --takes album/ --port 9000", "the takes of one project, at another port"),
    ),
    "serve": (
        ("jen1 serve", "on this machine alone, at http://127.0.0.1:8414; /docs describes it"),
        (
            "JEN1_TOKEN=$(openssl rand -hex 16) jen1 serve --host 0.0.0.0 --takes takes/",
            "for other machines too, which need the token; the commands use it by --server URL",
        ),
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
            "jen1 evaluate prompts --reference music -o report",
            "does music follow its words? 240 test prompts, between floor and ceiling",
        ),
        (
            "jen1 evaluate audio takes --reference album -e handcrafted",
            "one folder against another: KAD, FAD, FAD-infinity, KL, text score",
        ),
        ("jen1 evaluate codec music -o report", "what survives the autoencoder"),
        (
            "jen1 evaluate listen ours=takes/ theirs=others/ -o test.html",
            "a blind listening test in one page",
        ),
    ),
    "models list": (
        ("jen1 models list", "name, size, licence and place of each"),
        ("jen1 models list --json", "one JSON object each"),
    ),
    "models show": (
        ("jen1 models show jen1-mini", "the bundled weight set: its release, parts, training"),
        ("jen1 models show run/mine/weights --json", "a weight set of your own"),
    ),
    "models path": (
        ('cp -r "$(jen1 models path jen1-mini)" my-set', "a copy to change"),
        ("jen1 models path jen1-mini", "its folder"),
    ),
    "train autoencoder": (
        ("jen1 train autoencoder music -o run/codec --minutes 60", "from nothing"),
        (
            "jen1 train autoencoder music -o run/codec --init jen1-mini --freeze-components",
            "a better decoder; models of the same latents still fit",
        ),
    ),
    "train latents": (
        ("jen1 train latents music -m run/codec/weights -o run/latents", "after stage 1"),
        (
            "jen1 train latents music -m jen1-mini --keep-whitening -o run/latents",
            "to train the bundled model further",
        ),
        (
            "jen1 train latents music -m run/codec/weights -o run/latents --shard 3/64",
            "a part, as tar files",
        ),
    ),
    "train diffusion": (
        ("jen1 train diffusion run/latents -o run/model --minutes 120", "from random weights"),
        (
            "jen1 train diffusion run/latents -o run/model --init jen1-mini --steps 2000",
            "the bundled model, on latents that it wrote",
        ),
        ("jen1 train diffusion run/latents -o run/model --minutes 240 --resume", "go on"),
    ),
    "train controls": (
        (
            "jen1 train controls run/latents --init run/model/weights -o run/controls --minutes 20",
            "for a model whose music has tempi",
        ),
    ),
    "train text-encoder": (
        (
            "jen1 train text-encoder -o text --teacher all-MiniLM-L6-v2 --captions music",
            "from a sentence model in a folder",
        ),
    ),
    "train finetune": (
        ("jen1 train finetune my-music -o run/mine --minutes 60", "the whole bundled model"),
        (
            "jen1 train finetune my-music -o run/mine --lora 8 --minutes 20",
            "a small file for jen1 generate --lora",
        ),
        ("jen1 train finetune my-music -o run/mine --minutes 90 --resume", "go on"),
    ),
    "train distill": (
        ("jen1 train distill run/latents -o fast --minutes 90", "of the bundled model"),
        (
            "jen1 train distill run/latents -o fast -m run/mine/weights --sampling-steps 4",
            "of your own, which then takes four steps",
        ),
    ),
    "train all": (
        ("jen1 train all my-music -o run --minutes 180", "every stage, by the clock"),
        ("jen1 train all my-music -o run --recipe mini-gpu --dry-run", "sizes, and nothing else"),
    ),
    "corpus": (
        ("jen1 corpus make music --hours 10", "ten hours of captioned music"),
        ("jen1 corpus inspect music", "what a folder of music holds, on one page"),
    ),
    "corpus make": (
        (
            "jen1 corpus make music --hours 10 --workers 8",
            "in eight processes",
        ),
        ("jen1 corpus make house --style house --hours 1 --stems", "one style, with stems"),
        ("jen1 corpus make shards --hours 100 --shards", "as WebDataset tar files"),
    ),
    "corpus scores": (
        ("jen1 corpus scores corpus", "add scores.jsonl to a corpus of an older version"),
    ),
    "corpus styles": (
        ("jen1 corpus styles", "every style with its tempi and metres"),
        ("jen1 corpus styles --json", "one JSON object each"),
    ),
    "corpus inspect": (
        ("jen1 corpus inspect music", "figures, and a page to look and listen through"),
        ("jen1 corpus inspect my-music --clips 0 --json", "figures for a script"),
    ),
    "evaluate audio": (
        ("jen1 evaluate audio takes --reference album", "with the tagger and handcrafted features"),
        ("jen1 evaluate audio takes -r album.npz -e clap -e vggish=VGGISH", "other embeddings"),
    ),
    "evaluate stats": (
        ("jen1 evaluate stats album -o album.npz", "for jen1 evaluate audio --reference album.npz"),
        ("jen1 evaluate stats album --split all -e clap -o album.npz", "all of it, through CLAP"),
        ("jen1 evaluate stats album -o album.npz --shard 3/64", "a part; the last one writes FILE"),
    ),
    "evaluate prompts": (
        ("jen1 evaluate prompts -r music -n 120 -o report", "half of the package's prompts"),
        ("jen1 evaluate prompts --prompts mine.txt --steps 5 -o report", "prompts of your own"),
        ("jen1 evaluate prompts --audio takes -r music", "music that is there, with captions"),
    ),
    "evaluate codec": (
        ("jen1 evaluate codec music -o report", "the bundled model's, on the test split"),
        ("jen1 evaluate codec music -m run/codec/weights --limit 20", "a result of stage 1"),
    ),
    "evaluate edits": (
        ("jen1 evaluate edits music -o report", "24 clips of the test split"),
        ("jen1 evaluate edits recordings --unprompted --limit 12", "without their captions"),
    ),
    "evaluate train-tagger": (
        ("jen1 evaluate train-tagger music -o my-tagger --minutes 8", "on music of jen1 corpus"),
    ),
    "evaluate listen": (
        ("jen1 evaluate listen ours=takes theirs=others -o test.html", "two systems, blind"),
        ("jen1 evaluate listen ours=takes real=music -n 20 -s 8", "more and shorter clips"),
        (
            "jen1 evaluate listen ours=report/audio/edited copy=report/audio/loop-fill"
            " real=report/audio/original --together -n 12",
            "edits beside loop-fill and the original",
        ),
    ),
    "evaluate listen-results": (
        ("jen1 evaluate listen-results answers --key test.key.json", "a folder of answers"),
        ("jen1 evaluate listen-results a.json b.json -k test.key.json -o report", "two listeners"),
    ),
    "evaluate musiccaps": (
        ("jen1 evaluate musiccaps musiccaps.csv --clips clips -o report", "what you have of it"),
        (
            "jen1 evaluate musiccaps musiccaps.csv --clips clips -o report --balanced -e clap",
            "the balanced subset, with CLAP",
        ),
    ),
    "evaluate ablation": (
        ("jen1 evaluate ablation music -o ablation --minutes 5", "every cell, on a CPU or GPU"),
        ('jen1 evaluate ablation music -o ablation --cell "no masking"', "one cell"),
    ),
}
"""Command without its `jen1` -> pairs of an example and its meaning."""


def add_to(app: typer.Typer, path: tuple[str, ...] = ()) -> None:
    """Append the examples to the help of every command of an application, at any depth."""
    for group in app.registered_groups:
        place = (*path, group.name or "")
        group.epilog = epilog(" ".join(place))
        if group.typer_instance is not None:
            add_to(group.typer_instance, place)
    for command in app.registered_commands:
        if command.hidden:  # a former name
            continue
        command.epilog = epilog(" ".join((*path, command.name or "")))


def epilog(name: str) -> str:
    """Return the examples of a command as the epilog of its help, separated by blank lines."""
    lines = ["[bold]Examples[/bold]"]
    for command, meaning in EXAMPLES.get(name, ()):
        shown = command.replace("[", "\\[")
        lines.append(f"[dim]# {meaning}[/dim]\n[cyan]{shown}[/cyan]")
    return "\n\n".join(lines)
