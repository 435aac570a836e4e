"""Translations: keep i18n/*.po complete, and the template current.

Run by the runtime's Python (it has polib):
``python terms.py check|update FRESH.pot I18N_FOLDER``
where FRESH.pot is Odoo's own export of the terms in use.
"""

import sys
from pathlib import Path

import polib

#: The translation that the addon promises.
TRANSLATION = "es.po"


def key(entry):
    return (entry.msgctxt, entry.msgid)


def terms(catalogue):
    """What a translator sees: order, dates and line numbers do not count."""
    return {
        (
            key(entry),
            entry.comment,
            tuple(sorted(where for where, _ in entry.occurrences)),
        )
        for entry in catalogue
        if not entry.obsolete
    }


def check(fresh, template, catalogues):
    """Return the faults in words."""
    faults = []
    if not template.is_file():
        return [f"{template.name} is missing"]
    known, wanted = terms(polib.pofile(template)), terms(fresh)
    for what, some in (
        ("lacks", wanted - known),
        ("has, but needs not,", known - wanted),
    ):
        for (_, text), _, places in sorted(some, key=repr)[:5]:
            faults.append(f"{template.name} {what} {text!r} {' '.join(places)}")
        if len(some) > 5:
            faults.append(f"{template.name} {what} {len(some) - 5} more")
    if TRANSLATION not in [path.name for path in catalogues]:
        faults.append(f"{TRANSLATION} is missing")
    for path in catalogues:
        catalogue = polib.pofile(path)
        missing = {key(entry) for entry in fresh} - {key(entry) for entry in catalogue}
        open_ones = [
            *(f"lacks {text!r}" for _, text in sorted(missing, key=repr)),
            *(
                f"leaves {e.msgid!r} untranslated"
                for e in catalogue.untranslated_entries()
            ),
            *(f"has {e.msgid!r} as fuzzy" for e in catalogue.fuzzy_entries()),
        ]
        faults += [f"{path.name} {fault}" for fault in open_ones[:5]]
        if len(open_ones) > 5:
            faults.append(f"{path.name}: {len(open_ones) - 5} more")
    return faults


def update(fresh, template, catalogues):
    """Write the template, and bring each catalogue in line with it."""
    old = polib.pofile(template) if template.is_file() else None
    if old is None or terms(old) != terms(fresh):
        # Else nothing but the date would change.
        fresh.save(str(template))
    for path in catalogues:
        catalogue = _open(path, fresh)
        catalogue.merge(fresh)
        for entry in catalogue.obsolete_entries():
            catalogue.remove(entry)
        catalogue.save(str(path))
        print(
            f"  {path.name}: {len(catalogue)} terms, "
            f"{len(catalogue.untranslated_entries())} untranslated, "
            f"{len(catalogue.fuzzy_entries())} fuzzy"
        )


def _open(path, fresh):
    if path.is_file():
        return polib.pofile(path)
    catalogue = polib.POFile()
    catalogue.metadata = dict(fresh.metadata, Language=path.stem)
    return catalogue


def main(action, fresh, folder):
    fresh = polib.pofile(fresh)
    template = folder / "project_lifecycle.pot"
    catalogues = sorted(folder.glob("*.po"))
    if action == "update":
        if TRANSLATION not in [path.name for path in catalogues]:
            catalogues.append(folder / TRANSLATION)
        update(fresh, template, catalogues)
        return 0
    faults = check(fresh, template, catalogues)
    for fault in faults:
        print(f"    {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
