"""Translations: keep i18n/*.po complete, and the template current.

Run by the runtime's Python (it has polib): ``python terms.py check|update FRESH.pot
I18N_FOLDER``, where FRESH.pot is Odoo's own export of the terms in use.
"""

import sys
from pathlib import Path

import polib

#: The translation that the addon promises.
TRANSLATION = "es.po"


def terms(catalogue):
    """What a translator sees: order, dates and line numbers do not count."""
    return {
        (entry.msgid, entry.comment, tuple(sorted(name for name, _ in places)))
        for entry in catalogue
        if not entry.obsolete
        for places in [entry.occurrences]
    }


def check(fresh, template, catalogues):
    """Yield the faults in words."""
    known, wanted = terms(template), terms(fresh)
    for what, some in (("lacks", wanted - known), ("has too many:", known - wanted)):
        for text, _, places in sorted(some):
            yield f"{template.fpath}: {what} {text!r} {' '.join(places)}"
    for catalogue in catalogues:
        translated = {entry.msgid for entry in catalogue.translated_entries()}
        for text in sorted({entry.msgid for entry in fresh} - translated):
            yield f"{catalogue.fpath}: {text!r} is not translated"


def update(fresh, template, catalogues):
    """Write the template, and bring each catalogue in line with it."""
    if terms(template) != terms(fresh):  # else nothing but the date would change
        fresh.save(template.fpath)
    for catalogue in catalogues:
        catalogue.merge(fresh)
        for entry in catalogue.obsolete_entries():
            catalogue.remove(entry)
        catalogue.save()
        print(
            f"  {catalogue.fpath}: {len(catalogue)} terms, "
            f"{len(catalogue.untranslated_entries())} untranslated, "
            f"{len(catalogue.fuzzy_entries())} fuzzy"
        )


def open_catalogue(path, metadata):
    if path.is_file():
        return polib.pofile(path)
    catalogue = polib.POFile(fpath=str(path))
    catalogue.metadata = dict(metadata, Language=path.stem)
    return catalogue


def main(action, fresh, folder):
    fresh = polib.pofile(fresh)
    template = open_catalogue(folder / "project_lifecycle.pot", {})
    paths = {folder / TRANSLATION, *folder.glob("*.po")}
    catalogues = [open_catalogue(path, fresh.metadata) for path in sorted(paths)]
    if action == "update":
        update(fresh, template, catalogues)
        return 0
    faults = list(check(fresh, template, catalogues))
    print("\n".join(f"    {fault}" for fault in faults[:20]))
    if len(faults) > 20:
        print(f"    and {len(faults) - 20} more")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
