"""The shapes in which clinicians name a person without a label: «F 72», «26YOM», «*01.10.1941», «L4 Rossi Bruno».

Patterns only, for folded text with its case. What each of them tells of the person, people.py reads.
"""

from __future__ import annotations

import re2

_CAP = r"[A-Z][A-Za-z'\-]{1,24}"
_SHORT = r"(?:[A-Z][A-Za-z'\-]{1,24}|[A-Z]\.?-?(?:[A-Z]\.?)?)"
_FULL = (
    rf"{_CAP},? (?:(?:de|du|d'|la|le|van|von|el|ben|da|di|do|dos|del|der|den|ter|ten|De|La|Van|Von|El|Ben) ?){{0,2}}"
    rf"{_SHORT}(?: {_SHORT})?"
)
_YEARS = (
    r"(?:ans?|ANS?|a\.?|A\.?|aa|y ?\d{1,2}m|y\.?|Y|yo|YO|y/o|yrs?|YRS|years?(?: old)?|j\.?|J\.?|jr\.?|JR|jaar|JAAR|"
    r"Jahre?|JAHRE|J\.|anni|ANNI|anos|ANOS|ani|mois|MOIS|months?|mths?|Monate|"
    r"mesi|meses|maanden|mnd|sem|wks?|ST)"
)
_SEX = (
    r"(?:[Hh]omme|HOMME|[Ff]emme|FEMME|[Gg]arcon|[Ff]ille(?:tte)?|[Nn]ourrisson|[Pp]atiente?|[Pp]atientin|"
    r"[Pp]at\.?|[Pp]te?|[Pp]z\.?|PZ|[Pp]ac\.?|[Pp]aciente|PACIENTE|[Pp]aziente|"
    r"[Vv]aron|VARON|[Mm]ujer|MUJER|[Hh]ombre|[Nn]in[oa]|[Bb]imb[oa]|[Uu]omo|UOMO|[Dd]onna|DONNA|"
    r"[Rr]agazz[oa]|Mann|Frau|Junge|Madchen|[Mm]an|[Vv]rouw|[Jj]ongen|[Mm]eisje|"
    r"[Cc]liente?|[Uu]tente|[Dd]oente|[Hh]omem|[Mm]ulher|[Mm]enin[oa]|[Mm]ale|MALE|[Ff]emale|FEMALE|"
    r"[Ww]oman|[Bb]oy|[Gg]irl|[Ll]ady|[Gg]entleman|[Gg]estante|[MFHWVDmfhwvd])"
)
_DATE = r"(?:[0-3]?\d[./-][01]?\d[./-](?:(?:19|20)\d\d|\d\d)|(?:19|20)\d\d-?[01]\d-?[0-3]\d)"
_BED = (
    r"(?:[Ll]it|[Ll]etto|[Bb]ed|BED|[Bb]ett|[Zz]i(?:mmer)?|ZI|[Cc]h(?:ambre|br)?|CH|[Hh]ab|[Kk]amer|[Cc]ama|[Bb]ox|BOX|"
    r"[Ss]t(?:anza)?|[Rr]oom|[Bb]ay|SR|[LBKZC])"
)
SIGNS = {
    "star": rf"\* ?{_DATE}\b",
    "named_age": rf"\b{_FULL}(?: ?\([MFHmfhw]\))?[ ,]{{1,2}}(?:- )?\(?\d{{1,3}} ?(?:{_YEARS}|[MF])(?:[ ,.;:)/\n-])",
    "named_birth": rf"\b{_FULL}(?:(?: ?\(?|,? [-/|,] ?)[MFHWVmfhwv]\)?)?(?:[ ,;]{{1,3}}| ?[-/|] )"
    rf"\(?{_DATE}(?:[^\d]|\b)",
    "sexed_age": (
        rf"\b{_SEX}[ ,.:(]{{1,3}}(?:de |di |agee? de |von |van |ca\.? |env\.? |environ )?"
        rf"\d{{1,3}} ?{_YEARS}(?:[ ,.;:)/\n-])"
    ),
    "year_old": (
        r"\b\d{1,3}[ -]?(?:years?|yrs?|months?|weeks?|days?)[ -]old[ -](?:[A-Za-z-]{2,20} ){0,4}(?:male|"
        r"female|man|woman|boy|girl|lady|gentleman|patient|infant|child|baby|MALE|FEMALE)\b"
    ),
    "jahrig": (
        r"\b\d{1,3}[ -]?(?:jahrige[rnms]?|jarige) (?:[A-Za-z-]{3,20} ){0,2}(?:Patient(?:in|en)?|Mann(?:es)?|"
        r"Frau|Junge|Madchen|Kind|man|vrouw|patient|patiente|jongen|meisje|dame|heer)\b"
    ),
    "first_age": (
        rf"\b{_CAP}(?:, ?| ?\(|[ \"]{{0,2}} - )\d{{1,3}} ?"
        r"(?:ans|ANS|anni|anos|Jahre|jaar|yo|y/o|years|mois|mesi|meses|Monate|a\.|mo\b|mths)"
    ),
    "comma_name": r"\b[A-Z]{3,24}, [A-Z][a-z]{2,24} \((?:pt|ID|id|MRN|DOB|dob|ddn|DDN|nee?|born|geb|[MFmf]\b|\d)",
    "young": (
        rf"\b(?:[Ll]e petit|[Ll]a petite|[Ll]e jeune|[Ll]a jeune|[Bb]aby|[Ll]'enfant|[Kl]leine[rn]?|[Ee]l nino|"
        rf"[Ll]a nina|[Ii]l piccolo|"
        rf"[Ll]a piccola|[Kk]indje) {_CAP}"
    ),
    "first_initial": rf"(?:\n|[-:] )[A-Z][a-z]{{3,14}} [A-Z]\.?(?:[,(:]| -| \d{{1,3}}(?: ?{_YEARS}[ ,.;:)])?)",
    "alone_age": rf"[\n:] ?{_CAP} \d{{1,2}} ?(?:ans|mois|anni|anos|Jahre|jaar|yo|y/o|years|mesi|meses|Monate)\b",
    # «Isla 5y», «Liam, 19, OD»
    "given_age": rf"\b{_CAP}(?: [A-Z]\.)?,? \d{{1,2}}(?: ?(?:y|m|a|J|j)\b|, [A-Za-z])",
    "said_patient": rf"\b{_FULL} \((?:[a-z]{{2,3}} )?(?:[Pp]atient(?:e|in)?|pte?|[Pp]aziente|[Pp]aciente)\b",
    "listed_age": rf"\n(?:\d{{1,3}} |- ?)?{_CAP} \d{{2}} ?(?:{_YEARS}|[MF])[ ,]",
    "infant": (
        r"\b(?:[Nn]ourrisson|NOURRISSON|[Ee]nfant|RN|NN|[Bb]ebe|[Ss]augling|[Nn]eugeborenes|[Nn]eonato|[Ll]actante)"
        r"(?: ?[,:]? ?[MFGHmfgh])?[ ,]{1,2}(?:de )?\d{1,2} ?(?:sem|semaines|mois|jours|j|m|h|Wochen|Monate|gg|"
        r"mesi|meses|dias)\b"
    ),
    "bed_age": (
        r"(?:\b(?:[Bb]ed|BED|Rm|[Rr]oom|[Bb]ay|[Cc]ama|[Ll]etto|[Kk]amer|[Ll]it|"
        r"[Bb]ox) ?#?\d{1,3}[A-Za-z]?[*:.) -]{0,4}"
        rf"(?:{_CAP},? )?|\n[-*> ]{{0,3}})\d{{2}} ?[MFHWV]\b"
    ),
    "initials_age": r"\([A-Z]\.?-?[A-Z]\.?(?:[A-Z]\.?)?, ?\d{1,3}(?: ?(?:ans?|a|y|J|j))?\)",
    "initial": (
        r"\b(?:Mme|Mlle|Mr|M\.|Mrs|Ms|Frau|Fr\.|Hr\.|Herr|Hrn\.|Sig\.?(?:ra)?|Sra\.?|Sr\.|Mw\.?|Dhr\.?|Pat\.|Pt|Pte) "
        rf"[A-Z]\.(?:-?[A-Z]\.)?(?:,? ?\(?\d{{1,3}} ?{_YEARS}\b)?"
    ),
    "paren_age": r"\([A-Z][a-z]{2,14} [A-Z][a-z]{2,18}, \d{1,2}\)",
    "complains": r"\b[1-9]\d[MF] (?:[a-z]{4,}|\?|c/o|w/|with|p/w|presents|presenting|presented|hx|pmh|"
    r"here|seen|s/p|who|known)\b",
    "line_age": r"\n(?:[1-9]?[GP]\d? ?)*\d{1,3} ?(?:ans|ANS|anni|anos|jaar|Jahre|yo|YO)(?:,|\.| \d)",
    "line_sex": r"\n(?:[-*>] ?)?(?:[MFHWVmfhwv] ?\d{2}(?: ?[aAyYjJ]\.?)?(?:, | [a-z]{3,})"
    r"|(?:[Vv]aron|VARON|[Mm]ujer|[Hh]ombre|Homme|Femme|Mann|Frau|Uomo|Donna|Man|Vrouw|Homem|Mulher|Male|Female) "
    r"\d{2}[,.: ])",
    "edad": r"\b(?:di anni|aged|AGED|(?:[Ee]dad|EDAD|[Aa]ge|AGE|Eta|ETA|Alter|Leeftijd|Idade|IDADE) ?:) ?\d{1,3}\b",
    "aged_sex": (
        r"\b\d{1,3} ?-?(?:yom|YOM|yof|YOF|"
        r"[yY]/?[oO](?: ?(?:[mfMF]|male|female|lady|gentleman|man|woman|boy|girl))?|(?:jahrig|jarig|"
        r"JAHRIG)[a-zA-Z]{0,2}|[yY] ?[MF]|[jJa]\.?,? ?(?:[mwvMWV]|man|vrouw|varon|mujer))\b"
    ),
    "named_year": (
        rf"\b{_FULL}[ ,]{{1,2}}\(?(?:cl\.? ?|classe |Jg\.? ?|Jahrgang |geb\.? ?|ne en |"
        rf"nee en )?19[2-9]\d\)?(?:[ ,.;:)\n-])"
    ),
}
WITHOUT_FIGURES = "|".join(SIGNS[name] for name in ("comma_name", "young", "first_initial", "said_patient", "initial"))
"""All of the shapes above that can stand in a text without a figure; of the beds below, none can."""
BEDS = re2.compile(
    (
        rf"\n(?:[-*>] ?)?(?:(?:{_BED}\.? ?\d{{1,3}}[a-zA-Z]?|"
        rf"\d{{3}}[a-zA-Z]?)(?: ?[:.\-] ?| )(?:[MFHWmfhw] ?\d{{2}}\b|[A-Z][A-Za-z'.\-]{{1,24}})|"
        r"\(?\d{1,2}[).] ?(?:[MFHWmfhw] ?\d{2}\b|[A-Z]{2,},? [A-Z]))"
    ).encode("ascii")
)
