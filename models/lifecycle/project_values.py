import math
from operator import ge, gt, le, lt

from odoo.exceptions import UserError
from odoo.fields import Command

# The numbers that fit the columns of the database
MAX_INTEGER = 2**31 - 1
MAX_FLOAT = 1e15
COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge}


def clean_values(records, vals):
    """Check the values of the addon's fields before Odoo converts and stores them.

    What comes by RPC can be of any type, and Odoo answers many of them with a
    traceback instead of a sentence.

    :param records: the records to write, or the model to create one of
    :param dict vals: values by field name
    :return: the values, without the characters that the database cannot store
    :raises UserError: naming the field whose value cannot be stored
    """
    texts = {}
    for name, value in vals.items():
        field = records._fields.get(name)
        if (
            field is None
            or value is None
            or value is False
            or field._modules[:1] != ("project_lifecycle",)
        ):
            continue
        if not _IS_STORABLE.get(field.type, _is_anything)(field, records, value):
            raise UserError(
                records.env._(
                    "This value cannot be used for “%(field)s”: %(value)s",
                    field=field._description_string(records.env),
                    value=_shorten(value),
                )
            )
        if isinstance(value, str):
            # Neither NUL nor halves of characters
            text = value.replace("\0", "").encode(errors="ignore").decode()
            if text != value:
                texts[name] = text
    return {**vals, **texts} if texts else vals


def clean_numbers(records, name, operator, value):
    """Return what a condition compares the numbers of a field with.

    :param records: the model with the field
    :param str name: the field
    :param str operator: of the condition
    :param value: of the condition, of any type
    :return: a set of numbers for ``in`` and ``not in``, a number for ``COMPARE`` and
        None for operators that compare no numbers
    :raises UserError: when the value is not a number
    """
    if operator in ("in", "not in"):
        return {_get_number(records, name, number) for number in value}
    if operator in COMPARE:
        return _get_number(records, name, value)
    return None


def get_comparison(records, name, operator, value):
    """Return whether a number matches a condition, as a function of the number.

    The arguments and errors are those of :func:`clean_numbers`.

    :return: the function, or None for operators that compare no numbers
    """
    wanted = clean_numbers(records, name, operator, value)
    if wanted is None:
        return None
    if operator in COMPARE:
        return lambda number: COMPARE[operator](number, wanted)
    return lambda number: (number in wanted) == (operator == "in")


def _get_number(records, name, value):
    """Return a number to compare with; what is not set counts as 0, as for Odoo."""
    if value is None or isinstance(value, bool | int | float):
        if value is None or not math.isnan(value):
            return +value if value else 0
    elif isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isnan(number):
            return number
    field = records._fields[name]
    raise UserError(
        records.env._(
            "“%(field)s” is compared with a number, and this is not one: %(value)s",
            field=field._description_string(records.env),
            value=_shorten(value),
        )
    )


def _shorten(value):
    return repr(value)[:80]


def _is_number(value, limit):
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return False
    return (
        isinstance(value, int | float) and math.isfinite(value) and abs(value) <= limit
    )


def _is_integer(field, records, value):
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            return False
    return _is_number(value, MAX_INTEGER)


def _is_float(field, records, value):
    return _is_number(value, MAX_FLOAT)


def _is_text(field, records, value):
    if isinstance(value, dict):  # translations
        return all(_is_text(field, records, text) for text in value.values())
    if isinstance(value, bytes):
        return b"\0" not in value and value.isascii()
    return not isinstance(value, list | tuple | set)


def _is_option(field, records, value):
    return isinstance(value, str) and value in field.get_values(records.env)


def _is_record(field, records, value):
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return 0 <= value <= MAX_INTEGER  # 0 is none, as for Odoo
    # Records, new ones, and what the ORM itself passes on; no text, no floats
    return not isinstance(value, str | bytes | float | list | dict)


def _is_commands(field, records, value):
    if isinstance(value, str | bytes | int | float | dict):
        return False
    if not isinstance(value, list | tuple):
        return True  # records
    return all(
        _is_command(command)
        or (isinstance(command, int) and 0 < command <= MAX_INTEGER)
        for command in value
    )


def _is_command(command):
    """Return whether a command names records by their ids, not by words."""
    if not isinstance(command, list | tuple):
        return False
    if not command or command[0] in (Command.CREATE, Command.CLEAR):
        return True
    ids = command[1:2]
    if command[0] == Command.SET:
        ids = command[2] if len(command) > 2 else ()
    return not isinstance(ids, str | bytes | int | float) and not any(
        isinstance(res_id, str | bytes | float | list | dict) for res_id in ids
    )


def _is_date(field, records, value):
    try:
        field.convert_to_cache(value, records)
    except (ValueError, TypeError, OverflowError, AttributeError):
        return False
    return True


def _is_anything(field, records, value):
    return True


_IS_STORABLE = {
    "integer": _is_integer,
    "float": _is_float,
    "monetary": _is_float,
    "char": _is_text,
    "text": _is_text,
    "html": _is_text,
    "selection": _is_option,
    "many2one": _is_record,
    "one2many": _is_commands,
    "many2many": _is_commands,
    "date": _is_date,
    "datetime": _is_date,
}
