"""The page /docs: the OpenAPI document as plain HTML, without scripts and without other hosts."""

from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}code,pre{font-family:ui-monospace,monospace}"
    "summary{cursor:pointer;padding:.3rem 0}td,th{text-align:left;vertical-align:top;"
    "padding:.1rem 1rem .1rem 0}details{border-bottom:1px solid #8884}"
)


def docs_page(document: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    info = document["info"]
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"<p>{escape(info.get('description', ''))}"
        " The machine-readable form: <a href='/openapi.json'>/openapi.json</a>."
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(method, path, operation))
    return "\n".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {})
    rows = [
        (item["name"], item["in"], _kind(item["schema"]), item.get("description", ""))
        for item in operation.get("parameters", [])
    ]
    for media, content in body.items():
        rows += _fields(content["schema"], media)
    table = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    head = "<tr><th>field<th>in<th>type<th>meaning</tr>" if rows else ""
    return (
        f"<details><summary><code>{method.upper()} {escape(path)}</code>"
        f" {escape(operation.get('summary', ''))}</summary>"
        f"<p>{escape(operation.get('description', ''))}</p><table>{head}{table}</table></details>"
    )


def _fields(schema: dict[str, Any], place: str) -> list[tuple[str, str, str, str]]:
    rows: list[tuple[str, str, str, str]] = []
    needed = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        mark = " (needed)" if name in needed else ""
        rows.append((name + mark, place, _kind(field), field.get("description", "")))
        if field.get("type") == "object" and "properties" in field:
            rows += _fields(field, f"{place}, {name}")
    return rows


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        kinds = [_kind(item) for item in schema["anyOf"] if item.get("type") != "null"]
        return " or ".join(kinds)
    kind = str(schema.get("type", "any"))
    if kind == "array":
        kind = f"list of {_kind(schema.get('items', {}))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    return kind if low is None or high is None else f"{kind}, {low:g} to {high:g}"
