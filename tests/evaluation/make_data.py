"""Makes the tables and test prompts of `jen1cli.evaluation.data` from the corpus.

    python tests/evaluation/make_data.py

The evaluation never imports the corpus, so what it must know of it is kept as data; a test
compares the two. Prompts are captions of compositions that belong to the test split, one caption
each, styles in equal shares. Prompt i names style, instruments, drums, tempo or key in turn,
whatever else it may say.
"""

import json
from collections import defaultdict
from pathlib import Path

import jen1cli.evaluation
from jen1cli.composition.composer import compose
from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.styles import FAMILIES, STYLES
from jen1cli.corpus.captions.writer import attributes, captions
from jen1cli.corpus.dataset import clip_seed, make_plan, split_of, style_of
from jen1cli.evaluation import prompt_spec
from jen1cli.evaluation.prompt_spec import choose_caption

DATA = Path(jen1cli.evaluation.__file__).parent / "data"
SEED = 20_240  # of the data set that the prompts are drawn from
COUNT = 240


def instrument_families() -> dict[str, str]:
    return {name: item.family for name, item in sorted(INSTRUMENTS.items())}


def instrument_words() -> dict[str, list[str]]:
    found = defaultdict(set)
    for item in INSTRUMENTS.values():
        for word in (*item.words, item.family):
            found[word.lower()].add(item.family)
    return {word: sorted(families) for word, families in sorted(found.items())}


def style_families() -> dict[str, str]:
    found = {style.name: family for family, styles in FAMILIES.items() for style in styles}
    return dict(sorted(found.items()))


def style_words() -> dict[str, list[str]]:
    from jen1cli.corpus.captions.vocabulary import style_words as words

    found = defaultdict(set)
    for name in STYLES:
        found[name.lower()].add(name)
    for name, item in words().items():
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
    for name, table in (
        ("instrument_families", instrument_families()),
        ("instrument_words", instrument_words()),
        ("style_families", style_families()),
        ("style_words", style_words()),
    ):
        text = json.dumps(table, indent=0, ensure_ascii=False)
        (DATA / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    prompt_spec._table.cache_clear()
    prompt_spec._pattern.cache_clear()
    lines = [json.dumps(line, ensure_ascii=False) for line in prompts()]
    (DATA / "prompts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
