"""Phone numbers as they are counted, keyed and kept: E.164, one spelling for one number."""

import functools
import unicodedata


@functools.lru_cache(maxsize=4096)
def e164(phone: str, tz: str) -> str:
    """Return a number in E.164; its bare digits where it cannot be read as one.

    tz: the store's time zone, whose country a number without a country code belongs to. "00" counts as "+" where that
    country dials otherwise: no national number begins with it.
    """
    import phonenumbers  # large: only who has a number in hand needs it
    from babel.core import get_global
    from phonenumbers import CountryCodeSource, PhoneNumberFormat

    written = unicodedata.normalize("NFKC", phone).strip()
    country = get_global("zone_territories").get(tz)
    try:
        read = phonenumbers.parse(written, country, keep_raw_input=True)
        if written.startswith("00") and read.country_code_source == CountryCodeSource.FROM_DEFAULT_COUNTRY:
            read = phonenumbers.parse(f"+{written[2:]}", None)
    except phonenumbers.NumberParseException:
        return "".join(sign for sign in written if sign.isdigit())
    return phonenumbers.format_number(read, PhoneNumberFormat.E164)
