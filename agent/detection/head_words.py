"""The shapes of persons and of lists that ``heads.py`` counts by. Patterns and words only, on folded text."""

from __future__ import annotations

import re

_CIVILITY = (
    r"(?:Mmes?|MMES?|Mlles?|MLLE|Melle|Mr?s?\.?|MR|Monsieur|MONSIEUR|Madame|MADAME|Mademoiselle|Mrs\.?|Ms\.?|"
    r"Miss|Frau|Herrn?|Hr\.?|Fr\.|Sig\.?(?:ra|na)?\.?|Signora|Signor|Sra?\.?|Don|Dona|"
    r"Dna\.?|Mevr\.?|Mw\.?|Dhr\.?|Mevrouw|De heer|"
    r"Pat\.?|Pte?\.?|Patiente?|Patientin|PATIENTE?|[Ll]e petit|[Ll]a petite|[Pp]etite?|[Bb]ebe|[Bb]aby|Enfant|"
    r"[Kk]leine[rn]?)"
)
_CAP = r"[A-Z][A-Za-z'\-]+"
_PART = (
    r"(?:(?:de|du|des|d'|la|le|van|von|den|der|el|ben|da|di|do|dos|del|ter|ten|De|Du|Des|La|Le|Van|Von|El|Ben|DE|DU|"
    r"DES|LA|LE|VAN|VON|DER|EL|BEN|DA) ?)"
)
_AGE = r"\d{1,3} ?(?:ans?|a|y|yo|J|jr|anni|anos|mois|jaar|Jahre)\b"
_BIRTH = r"19[2-9]\d\b|[0-3]?\d[./][01]?\d[./](?:19[2-9]\d|200\d)"  # later ones are the dates of what happened


def _compiled(shape: str) -> re.Pattern[bytes]:
    return re.compile(shape.encode("ascii"))


_WEEKDAY = (
    r"(?:lun|mar|mer|jeu|ven|sam|dim|mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|gio|sab|dom|vie|mie|jue)"
    r"[a-z]{0,6}\.? "
)
HEADED = _compiled(rf"(?:({_CAP}) |([A-Z]\.) ?)({_CAP}) ?(?:-{{1,2}}>|=>|-{{1,2}} |: |\(|\*\*|, ?(?=[a-z0-9]))")
"""«PONS Marcelle - sténose», «R. Chambon : transit ok»: whom a line is about stands before a mark."""
# the order of the names is the order of trust
SHAPES = {
    "aged": _compiled(rf"({_CAP})(?: ({_CAP}|[A-Z]\.?))?,? ?\(?(?:{_AGE}|{_BIRTH})"),
    "civility": _compiled(
        rf"\b{_CIVILITY} (?:et {_CIVILITY} )?({_PART}{{0,2}}{_CAP}|[A-Z]\b\.?)(?: ({_CAP}|[A-Z]\b\.?))?"
    ),
    "name_capitals": _compiled(
        r"((?:(?:DE|DU|LA|LE|VAN|VON|DER|EL|BEN|DA|DI) ){0,2}[A-Z][A-Z'\-]{2,}),? ([A-Z][a-z\-]+|[A-Z]\.?)(?![A-Za-z])"
    ),
    "name_given": _compiled(r"([A-Z][a-z][a-z\-]*) ([A-Z][A-Z'\-]{2,})(?![A-Za-z])"),
}
SEXED = _compiled(
    r"(?:[HFMWVhfmwv]|Homme|Femme|Patiente?|Pat\.?|Melle|Mann|Frau|Man|Woman|Uomo|Donna|Varon|Mujer|Hombre|Vrouw)"
    r"[ .,/]{0,2}[A-Z]?[ ,(]{0,2}\d{1,3}(?: ?(?:ans?|a|y|yo|J|anni|anos|mois|m|jaar|Jahre)\b|\b(?![./:]))"
    r"|\d{1,3} ?(?:yo?[MFmf]|y/?o|[MFHW]\b|ans?\b|Jahre|anni|anos|jaar)"
)
LEADS = {
    "chat": _compiled(
        r"\[?(?:[0-3]?\d[./-][01]?\d[./-](?:\d\d){1,2}|\d{4}-\d\d-\d\d),?"
        r"(?: a| um| om| alle| at)? ?[0-2]?\d:[0-5]\d(?::\d\d)?"
        r"(?: ?[APap]\.?[Mm]\.?)?\]? ?(?:- )?[A-Za-z0-9+][^:\n]{0,30}: ?(?:\d{1,2}\) ?)?"
    ),
    "day": _compiled(
        rf"[-*>\[ ]*(?:{_WEEKDAY}[0-3]?\d\b|(?:{_WEEKDAY})?[0-3]?\d[./-][01]?\d(?:[./-](?:\d\d){{1,2}})?\b)[,\]]?"
        r"(?: {1,3}(?:a )?[0-2]?\d ?[h:H] ?(?:[0-5]\d)?\b)?[ :|,-]+(?:\d{2,6}[ -]\d{2,6} +)?(?=[A-Za-z])"
    ),
    "bed": _compiled(
        r"[-*>. ]*(?:[Ll]it|LIT|[Ll]etto|[Bb]ed|BED|[Bb]ett|[Zz]i(?:mmer)?|[Cc]h(?:b|ambre|br)?|CH|[Hh]ab(?:itacion)?|"
        r"[Kk]amer|[Cc]ama|[Bb]ox|BOX|[Ss]tanza|[Rr]oom|Rm|[Bb]ay)\.? ?\d{1,3}[A-Za-z]?\b[ :.)-]*"
    ),
    "item": _compiled(r"[-*> ]*\d{1,2} ?[/.)][ )]*(?=\D)"),
    "time": _compiled(r"[-*> ]*[0-2]?\d ?[h:H] ?(?:[0-5]\d)?\b[ :.-]*"),
    "post": _compiled(r"(?:P|SR|Poste|Post|Box) ?\d{1,2} ?[|:.)-] ?(?=[A-Z])"),  # «P3 | CHAUVIN Denise»
    "long": _compiled(r"\d{4}[ :.-]{1,3}(?=[A-Z])"),  # «2001 ADNOT Lucienne», «0945 Zaynab Noor»; a year, too
    "number": _compiled(r"[-*> ]*\d{1,3}[A-Da-d]?[ :.-]+(?=[A-Z])"),
    "bullet": _compiled(r"[-*>]+ ?(?:\[.?\] )?[*_]{0,2}(?=\S)"),
}
# how a line begins that one of the two above may fit, for a linear search: what stands ahead is not looked at
BEGUN = (
    rb"(?:[-*>]|\[[0-9]|(?:P|SR|Poste|Post|Box) ?[0-9]|"
    + _WEEKDAY.encode("ascii")
    + rb"[0-9]|"
    + HEADED.pattern.replace(rb"(?=[a-z0-9])", b"")
    + rb"|[-*>. (]*(?:[0-9]|"
    + LEADS["bed"].pattern.removeprefix(b"[-*>. ]*")
    + b"|"
    + SEXED.pattern.replace(rb"(?![./:])", b"")
    + b"))"
)
EMPTY = re.compile(
    rb"\W*(?:libre|vide|empty|free|leer|frei|libero|libera|vacia|vacio|leeg|vrij|ferme|closed|"
    rb"gesperrt|blocked|absente?|no show|pause|desinfection|menage|available)\b",
    re.IGNORECASE,
)
STAFF = _compiled(
    r"\b(?:Dr|Dre|Dra|Drs|Pr|Prof|Dott|Docteur|Doctor|Doktor|IDE|IDEC|AS|ASH|IBODE|IADE|[Ii]nterne|externe|[Kk]ine|SF|"
    r"sage-femme|infirmiere?|secretaire|assistante|psychologue|pharmacien(?:ne)?|[Nn]urse|Schwester|RN|[Cc]adre|"
    r"famille de|fille|fils|epouse|mari|femme|soeur|frere|mere|pere|parents|wife|husband|son|daughter|mother)[.:]? ?$"
)
ROLE = re.compile(
    rb",? ?\(?(?:IDE|IDEC|AS\b|cadre|secretaire|assistante|psychologue|kine|infirmier|interne|pharmacien|medecin|"
    rb"cardiologue|chirurgien|directeur|directrice|president|tresori|animat|aide-soignant|ergo|dieteticien|orthophoniste|"
    rb"sage-femme|educat|psychomot|assistante? soc|ASS\b|AES\b|ASH\b|enseignant|instit|tutrice|tuteur|mandataire|"
    rb"MKD?E?\b|podolog|opticien|audioproth|dentiste|ambulancier|referent|responsable|physio|bedrijfsarts|sportarts|verloskundige|matrona|PT\b|nurse|consultant|registrar|GP\b|GAR|internist|huisarts|Oberarzt|Arzt|Schwester|Pflege|"
    rb"medico|infermier|enfermer)",
    re.IGNORECASE,
)
NOT_ENTRIES = _compiled(
    r"\W*(?:[Pp]resents?|PRESENTS?|[Ee]quipe|[Ss]taff|[Ee]xcuses?|[Qq]uorum|CR ?:|[Rr]edacteur|[Ss]igne|[Bb]onjour|"
    r"[Bb]onsoir|[Cc]hers?|[Cc]here?s?|[Ss]alut|[Hh]ello|[Dd]ear|[Hh]i\b|[Hh]allo|[Ll]ieber?|[Ss]ehr|[Bb]este|[Gg]eachte|"
    r"[Cc]iao|[Gg]entile|[Ee]gregio|[Bb]uongiorno|[Hh]ola|[Ee]stimad|[Qq]uerid|De ?:|A ?:|Cc ?:|From ?:|To ?:|Von ?:|"
    r"An ?:|Da ?:|Para ?:|Van ?:|Aan ?:|Objet|Subject|Dr\b|Pr\b|DR\b|IDE\b|AS ?:|Medecin|Merci|Thanks|Danke|"
    r"Grazie|Gracias|Cordialement|Bien a|Attendees|Present ?:|Anwesend|Teilnehmer|Presenti|Asistentes|Aanwezig)"
)
LABELLED = _compiled(
    r"\n *(?:(?:Nom|NOM|Patiente?|PATIENTE?|Name|NAME|Identite|Prenom|PRENOM|Nachname|Cognome|Apellidos|Naam|Usager|"
    r"Beneficiaire|Concerne|Objet|Surname|Resident|Eleve|Enfant|Assure)[a-zA-Z() /]{0,24} ?:|[Nn]ee? le)"
)
CAPITALS = _compiled(
    r"(?:le |la |petite? |M\. |Mme |mme |mr |mlle |(?:[a-z]{3,5} )?(?:[A-Z] )?(?:box |ch |lit )?\d{1,4} )?"
    r"([A-Z][A-Z'\-]{2,})(?![A-Za-z0-9:])"
)
CAPITAL = _compiled(r"(?:(?:Le|La|Van|Von|De|Du|Ben|El) )?([A-Z][a-z][a-z'\-]+)(?![A-Za-z0-9])")
INITIALS = _compiled(r"(?:[PFM] ?: ?)?([A-Z]\.-?[A-Z]\.(?:[A-Z]\.)?)(?= |,|:|-)")
"""«M.L. BHC ok», «P : G.T., agité»: whoever is told by initials in a list of beds or hours."""
MARKED = _compiled(
    r"(?:M\. |Mme |mme |mr |mlle )?([A-Z][a-z][a-z'\-]+|[A-Z][A-Z'\-]{2,})(?: [A-Z]\.)? ?"
    r"(?:: |= |-{1,2}> ?|=> ?|, |- |\(|(?<= )(?:a|est|va|reste|refuse|dort|mange|part|partie?|rentree?|rentre|sort|"
    r"sortie?|entree?|transferee?|operee?|vue?|revue?|levee?|tombee?|decedee?|fait|demande|ok|OK|RAS|ras|is|has|hat|ist|e|ha|tiene|heeft)\b)"
)
TITLED = _compiled(rf"{_CIVILITY} ({_PART}{{0,2}}{_CAP})(?: ({_CAP}))?(?: ?\([^)\n]{{1,20}}\))? ?(?::|-{{1,2}}>|=>)")
SENTENCES = _compiled(
    rf"(?:(?<=[a-z0-9)!?%])[.;] | / (?={_CIVILITY}|\d))(?={_CIVILITY} [A-Z]|\d{{1,2}}[h:]\d\d |[A-Z]{{3,}} [A-Z][a-z])"
)
"""Where another person begins in a note of a few lines: «…, cf diét. Mme Esnault pesée 41,2»."""
NEXT_BED = _compiled(
    r"(?<=[A-Za-z0-9)!?%+])[.;] (?=(?:[Ll]it|[Ll]etto|[Bb]ed|[Bb]ett|[Zz]i(?:mmer)?|[Cc]h(?:br|ambre)?|"
    r"[Hh]ab(?:itacion)?|[Kk]amer|[Cc]ama|[Bb]ox|[Ss]tanza|[Rr]oom|[Bb]ay)\.? ?\d{1,3}[A-Za-z]?\b)"
)
"""The same where a bed begins it: «Lit 1 intubé J3, fièvre 39. Lit 2 extubée»."""
SHORTENED = _compiled(r"(?:[A-Z]{1,4}|[A-Z'\-]*[0-9].*)$")  # «APGAR 10», «DFTT 5»
YEARS = _compiled(r"[a-zJ]$")
NOT_A_NAME = frozenset(
    b"dr pr prof docteur le la les de du des et un une chirurgie medecine service unite cabinet clinique "
    b"isolement hopital chu ch samu ehpad secretariat nuit jour matin soir rdv irm tdm nfs ecg atb crp hba1c inr bilan "
    b"suivi visite bonjour merci lundi mardi mercredi jeudi vendredi samedi dimanche janvier fevrier mars "
    b"avril mai juin juillet aout septembre octobre novembre decembre confrere consoeur collegue madame "
    b"monsieur directeur president ordonnance compte rendu consultation traitement lit chambre salle urgence "
    b"urgences admitted depuis date died good enfant patient patiente nee ne epouse mari femme fils fille "
    b"age sexe intervention heure chirurgien anesthesiste remarques operation "
    b"feuille rapport projet protocole grille sortie entree avis care record prenom nom name dob".split()
)
