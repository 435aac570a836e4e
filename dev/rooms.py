"""The rooms of the addon stand in an order, and none may name a later one.

Run as ``python -m dev.rooms FOLDER``. A file belongs to the room that its folder or the
start of its name says. A name belongs to the first room that defines it: models, what
it adds to others' models, external ids, values that it adds to another's selection.
Where an earlier room says such a name is printed, and so are files that are too long.
"""

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOMS = (
    "lifecycle",
    "pack",
    "kickoff",
    "implementation",
    "go_live",
    "progress_report",
    "support",
)
ADDON = "project_lifecycle"
SUFFIXES = {".py", ".xml", ".js", ".scss"}

#: Longest files, in lines
LONGEST = {"models": 600, "tests": 700}

TOKEN = re.compile(r"[A-Za-z_][\w.]*\w")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
EXTERNAL_ID = re.compile(
    r"<(?:record|template|menuitem|asset|act_window)\b[^>]*?\sid=\"([^\"]+)\""
)
#: A word of its own: the text of a tag, or quoted
WORD = re.compile(r"(?<=[>\"'])\s*[A-Za-z][A-Za-z.]*\s*(?=[<\"'])")


def room_of(path):
    """Return the number of the room that a file belongs to, or None.

    >>> room_of(Path("models/go_live/project_phase.py"))
    4
    >>> room_of(Path("views/kickoff_risk_views.xml"))
    2
    >>> room_of(Path("controllers/portal_pack.py"))
    1
    >>> room_of(Path("tests/test_pack.py")) is None
    True
    """
    top, *rest = path.parts
    if top == "static" and rest[:1] == ["src"]:
        rest = rest[1:]
    elif top not in (
        *("models", "views", "data", "demo", "wizards", "security", "report"),
        "controllers",
    ):
        return None
    name = "/".join(rest).removeprefix("portal_")
    for number, room in enumerate(ROOMS):
        if re.match(rf"{room}(?![a-z])", name):
            return number
    return None


class Names:
    """What each room brings, in Python and in XML."""

    def __init__(self, files):
        """Read the names of ``files``: a list of (room, path, text)."""
        self.first = defaultdict(dict)  # kind: name: number of the room
        self.added_values = set()
        self.own = {}  # methods of a room's own models, which later ones may extend
        for room, name in enumerate(ROOMS):
            self.add("room", name, room)
        classes = []
        for room, path, text in files:
            if path.suffix == ".py":
                for node in ast.walk(ast.parse(text)):
                    if isinstance(node, ast.ClassDef):
                        classes.append((room, node, self._read_model(node, room)))
                    elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
                        for value in _strings(node)[:1]:
                            self.add("value", value, room)
            elif path.suffix == ".xml" and path.parts[0] != "static":
                for name in EXTERNAL_ID.findall(COMMENT.sub("", text)):
                    self.add("external id", name.removeprefix(f"{ADDON}."), room)
        for room, node, model in classes:
            # The fields of a room's own model are out of reach for whoever does not
            # name it; what counts is what a room adds to the models of others.
            if self.first["model"].get(model) != room:
                self._read_extension(node, room)
                continue
            for child in node.body:
                name = getattr(child, "name", None)
                self.own[name] = min(room, self.own.get(name, room))

    def add(self, kind, name, room):
        rooms = self.first[kind]
        rooms[name] = min(room, rooms.get(name, room))

    def _read_model(self, node, room):
        """Return the name of the model of a class, and note it if it is a new one."""
        own = dict(_assignments(node))
        parents = _strings(own.get("_inherit"))
        (name,) = _strings(own.get("_name")) or parents[:1] or [None]
        if name and name not in parents:
            self.add("model", name, room)
            self.add("table", name.replace(".", "_"), room)
            self.add("external id", f"model_{name.replace('.', '_')}", room)
        return name

    def _read_extension(self, node, room):
        for child in node.body:
            if isinstance(child, ast.FunctionDef) and not _calls_super(child):
                self.add("method", child.name, room)
        for name, value in _assignments(node):
            if _is_field(value):
                added = _added_values(value)
                self.added_values.update(added)
                if not added:  # else the field is another room's
                    self.add("field", name, room)

    def find(self, token, room, kinds):
        """Return the kind and the room of a name that is a later room's, or None."""
        for kind in kinds:
            number = self.first[kind].get(token)
            if number is None or kind == "value" and token not in self.added_values:
                continue
            if kind == "method":
                number = min(number, self.own.get(token, number))
            return (kind, number) if number > room else None


def _assignments(node):
    for child in node.body:
        if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name):
            yield child.targets[0].id, child.value


def _is_field(value):
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and isinstance(value.func.value, ast.Name)
        and value.func.value.id == "fields"
    )


def _strings(value):
    """Return the strings of a constant, a list or a tuple.

    >>> _strings(ast.parse("['a', 'b']", mode="eval").body)
    ['a', 'b']
    """
    values = getattr(value, "elts", [value])
    return [
        v.value
        for v in values
        if isinstance(v, ast.Constant) and isinstance(v.value, str)
    ]


def _added_values(field):
    """Return the values that a field adds to the selection of another room.

    >>> code = "fields.Selection(selection_add=[('won', 'Won'), ('done',)])"
    >>> _added_values(ast.parse(code, mode="eval").body)
    ['won']
    """
    return [
        _strings(item)[0]
        for keyword in field.keywords
        if keyword.arg == "selection_add"
        for item in getattr(keyword.value, "elts", [])
        if len(_strings(item)) == 2
    ]


def _calls_super(function):
    """Whether a method extends one that is there already."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == function.name
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "super"
        for node in ast.walk(function)
    )


def _python_tokens(text):
    tree = ast.parse(text)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.lineno, node.attr, ("field", "method")
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.value.lineno, node.arg, ("field",)
        elif isinstance(node, ast.ImportFrom):
            for part in (node.module or "").split("."):
                yield node.lineno, part, ("room",)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in docstrings:
                yield from _words(node.value, node.lineno)


def _markup_tokens(text):
    text = COMMENT.sub(lambda found: "\n" * found.group().count("\n"), text)
    for number, line in enumerate(text.splitlines(), 1):
        yield from _words(line, number)
        for word in WORD.findall(line):
            yield from _words(word.strip(), number)


def _words(text, line):
    """Yield what may be a name in a text: one word, or words that no prose has.

    >>> [word for _line, word, _kinds in _words("Plan the phase of phase_id.name", 1)]
    ['phase_id.name', 'phase_id', 'name']
    """
    whole = ("model", "external id", "table", "value", "field", "method")
    for found in TOKEN.finditer(text):
        token = found.group().removeprefix(f"{ADDON}.")
        at = line + text.count("\n", 0, found.start())
        if found.group() == text:
            yield at, token, whole
        elif "_" in token or "." in token:
            yield at, token, ("model", "external id", "table", "field", "method")
        if "." in token and ("_" in token or found.group() == text):
            for part in token.split("."):
                yield at, part, ("field",)


def scan(root):
    """Return the faults of an addon, one line of text each."""
    files = {}
    for path in sorted(Path(root).rglob("*")):
        path = path.relative_to(root)
        hidden = any(part.startswith(".") for part in path.parts)
        if path.suffix in SUFFIXES and not hidden:
            files[path] = (Path(root) / path).read_text(encoding="utf-8")
    rooms = {path: room for path in files if (room := room_of(path)) is not None}
    names = Names([(room, path, files[path]) for path, room in rooms.items()])
    faults = set()
    for path, room in rooms.items():
        tokens = _python_tokens if path.suffix == ".py" else _markup_tokens
        for line, token, kinds in tokens(files[path]):
            if found := names.find(token, room, kinds):
                kind, later = found
                faults.add((path, line, f"{kind} {token!r} belongs to {ROOMS[later]}"))
    for path, text in files.items():
        longest = LONGEST.get(path.parts[0])
        lines = text.count("\n")
        if path.suffix == ".py" and longest and lines > longest:
            faults.add((path, lines, f"more than {longest} lines: split it by concern"))
    return [f"{path}:{line}: {text}" for path, line, text in sorted(faults)]


if __name__ == "__main__":
    found = scan(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(found))
    sys.exit(bool(found))
