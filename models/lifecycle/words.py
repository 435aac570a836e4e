import re
import unicodedata
from html import unescape

# Letters, numbers, and symbols such as emoji
TELLING = {"Ll", "Lm", "Lo", "Lt", "Lu", "Nd", "Nl", "No", "So"}


def get_words(text):
    """Return a plain text without control characters, or "" when it says nothing.

    :param text: what a user typed, or anything that came by RPC
    """
    if not isinstance(text, str):
        return ""
    text = "".join(
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
    ).strip()
    return text if says_something(text) else ""


def says_something(text):
    """Return whether a plain text or HTML has a letter, a number or a picture.

    Blanks, dots and dashes, tags without content and characters that cannot be seen
    say nothing.
    """
    if not isinstance(text, str):
        return False
    visible = unescape(re.sub(r"<(?!img\b)[^>]*>", "", text))
    return "<img" in visible or any(
        unicodedata.category(character) in TELLING for character in visible
    )
