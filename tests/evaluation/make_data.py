"""Makes the tables and test prompts of `jen1cli.evaluation.data`, and the names of styles that
`jen1cli.composition.words` reads, from the corpus.

    python tests/evaluation/make_data.py

The evaluation never imports the corpus, so what it must know of it is kept as data; a test
compares the two. Prompts are captions of compositions that belong to the test split, one caption
each, styles in equal shares. Prompt i names style, instruments, drums, tempo or key in turn,
whatever else it may say.
"""

import json
from collections import defaultdict
from pathlib import Path

import jen1cli.composition.styles
import jen1cli.evaluation
from jen1cli.composition import words
from jen1cli.composition.composer import compose
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.styles import FAMILIES, STYLES
from jen1cli.corpus.captions.vocabulary import style_words as vocabulary
from jen1cli.corpus.captions.writer import attributes, captions
from jen1cli.corpus.dataset import clip_seed, make_plan, split_of, style_of
from jen1cli.evaluation.prompt_spec import choose_caption

DATA = Path(jen1cli.evaluation.__file__).parent / "data"
STYLES_FOLDER = Path(jen1cli.composition.styles.__file__).parent
SEED = 20_240  # of the data set that the prompts are drawn from
COUNT = 240


def instrument_families() -> dict[str, str]:
    return {name: item.family for name, item in sorted(INSTRUMENTS.items())}


def style_families() -> dict[str, str]:
    found = {style.name: family for family, styles in FAMILIES.items() for style in styles}
    return dict(sorted(found.items()))


def style_words() -> dict[str, list[str]]:
    found = defaultdict(set)
    for name in STYLES:
        found[name.lower()].add(name)
    for name, item in vocabulary().items():
        for word in item.names:
            found[word.lower()].add(name)
    return {word: sorted(names) for word, names in sorted(found.items())}


def prompts() -> list[dict]:
    plan = make_plan(SEED)
    found, index, used = [], 0, defaultdict(int)
    most = -(-COUNT // len(STYLES))
    while len(found) < COUNT:
        seed = clip_seed(SEED, index)
        style = style_of(plan, index)
        index += 1
        if split_of(seed) != "test" or used[style] >= most or style == "sounds":
            continue
        used[style] += 1
        score = compose(style, seed)
        facts = attributes(score)
        prompt = choose_caption(captions(score, score.seed), facts, len(found))
        found.append({"prompt": prompt, "attributes": facts, "seed": seed})
    return found


def main() -> None:
    for path, table in (
        (DATA / "instrument_families.json", instrument_families()),
        (DATA / "style_families.json", style_families()),
        (STYLES_FOLDER / "words.json", style_words()),
    ):
        text = json.dumps(table, indent=0, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
    words.style_words.cache_clear()
    lines = [json.dumps(line, ensure_ascii=False) for line in prompts()]
    (DATA / "prompts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
