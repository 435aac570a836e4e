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
    *("lifecycle", "pack", "kickoff", "implementation"),
    *("go_live", "progress_report", "support"),
)
ADDON = "project_lifecycle"
HOME = re.compile(
    r"(?:static/src|models|views|data|demo|wizards|security|report|controllers)/"
    rf"(?:portal_)?({'|'.join(ROOMS)})(?![a-z])"
)

#: Longest files, in lines
LONGEST = {"models": 600, "tests": 700}

TOKEN = re.compile(r"[A-Za-z_][\w.]*\w")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
EXTERNAL_ID = re.compile(
    r"<(?:record|template|menuitem|asset|act_window)\b[^>]*?\sid=\"([^\"]+)\""
)
#: A word of its own: the text of a tag, or quoted
WORD = re.compile(r"(?<=[>\"'])\s*[A-Za-z][A-Za-z.]*\s*(?=[<\"'])")


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
            if path.suffix == ".xml" and path.parts[0] != "static":
                for name in EXTERNAL_ID.findall(COMMENT.sub("", text)):
                    self.add("external id", name.removeprefix(f"{ADDON}."), room)
            for node in ast.walk(ast.parse(text)) if path.suffix == ".py" else ():
                if isinstance(node, ast.ClassDef):
                    classes.append((room, node, self._read_model(node, room)))
                elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
                    for value in _strings(node)[:1]:
                        self.add("value", value, room)
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
            # A method that calls super() of its own name extends what is there
            extends = f"super().{getattr(child, 'name', None)}("
            if isinstance(child, ast.FunctionDef) and extends not in ast.unparse(child):
                self.add("method", child.name, room)
        for name, value in _assignments(node):
            if ast.unparse(value).startswith("fields."):
                added = [
                    _strings(item)[0]
                    for keyword in value.keywords
                    if keyword.arg == "selection_add"
                    for item in getattr(keyword.value, "elts", [])
                    if len(_strings(item)) == 2
                ]
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


def _strings(node):
    """Return the strings of a constant, a list or a tuple."""
    values = [getattr(value, "value", None) for value in getattr(node, "elts", [node])]
    return [value for value in values if isinstance(value, str)]


def _python_tokens(text):
    tree = ast.parse(text)
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
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
            if id(node) not in prose:
                yield from _words(node.value, node.lineno)


def _markup_tokens(text):
    text = COMMENT.sub(lambda found: "\n" * found.group().count("\n"), text)
    for number, line in enumerate(text.splitlines(), 1):
        yield from _words(line, number)
        for word in WORD.findall(line):
            yield from _words(word.strip(), number)


def _words(text, line):
    """Yield what may be a name in a text: one word, or words that no prose has."""
    kinds = ("model", "external id", "table", "value", "field", "method")
    for found in TOKEN.finditer(text):
        token = found.group().removeprefix(f"{ADDON}.")
        at = line + text.count("\n", 0, found.start())
        if found.group() == text:
            yield at, token, kinds
        elif "_" in token or "." in token:
            yield at, token, [kind for kind in kinds if kind != "value"]
        if "." in token and ("_" in token or found.group() == text):
            for part in token.split("."):
                yield at, part, ("field",)


def scan(root):
    """Return the faults of an addon, one line of text each."""
    files = {}
    for file in sorted(Path(root).rglob("*")):
        path = file.relative_to(root)
        hidden = any(part.startswith(".") for part in path.parts)
        if path.suffix in {".py", ".xml", ".js", ".scss"} and not hidden:
            files[path] = file.read_text(encoding="utf-8")
    homes = {path: HOME.match(path.as_posix()) for path in files}
    rooms = {path: ROOMS.index(home[1]) for path, home in homes.items() if home}
    names = Names([(room, path, files[path]) for path, room in rooms.items()])
    faults = set()
    for path, room in rooms.items():
        tokens = _python_tokens if path.suffix == ".py" else _markup_tokens
        for line, token, kinds in tokens(files[path]):
            if found := names.find(token, room, kinds):
                kind, later = found
                faults.add((path, line, f"{kind} {token!r} belongs to {ROOMS[later]}"))
    for path, text in files.items():
        lines, longest = text.count("\n"), LONGEST.get(path.parts[0])
        if path.suffix == ".py" and longest and lines > longest:
            faults.add((path, lines, f"more than {longest} lines: split it by concern"))
    return [f"{path}:{line}: {text}" for path, line, text in sorted(faults)]


if __name__ == "__main__":
    found = scan(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(found))
    sys.exit(bool(found))
