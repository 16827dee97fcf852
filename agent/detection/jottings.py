"""Hurried notes: what a page of a few lines says in abbreviations, letters and figures.

Owns the habits of those who write for themselves: short words (``data/jottings.tsv``, counted only three together),
names of values with bare figures in a row («Na 131 K 2,9»), series («tropo 84->212»), the letters of a problem-oriented
note (S, O, A, P), a tooth with what was done to it, and what is only written in the course of somebody's care («J+45»,
«séance 6/10», «2/52», «revoir jeudi»). Takes a folded page, adds to its ``Evidence``; looks at short pages alone: a
long one has sentences that say the same with less doubt. Judges nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from itertools import islice
from typing import Any

import re2

from agent.detection.evidence import Evidence
from agent.detection.fold import Folded, fold_term
from agent.detection.linear import groups, spans, which
from agent.findings import Kind

LONGEST = 2600  # folded bytes of a page that may be a note
_TOGETHER = 3  # different short words from which they count
_SHORT = 5  # letters of an abbreviation; the longer ones are words of every day, which novels use too
_TO_OTHERS = ("exam", "course", "rule", "fiction", "veterinary", "press", "paper", "general", "specification")
_DENSE = 5  # abbreviations that hardly anybody writes but of a patient
_MOST = 14  # of them that count: beyond, nothing is added
_ROW = 40  # rows of figures looked at a page
_VALUE = (
    r"(?:na|k|cl|ca|mg|ph|p|bic|hco3|rao|uree?|ur|creat?|krea|hb|hgb|ht|hct|gb|gr|wbc|plt|plq|plaq|crp|pct|inr|tp|tca|"
    r"asat|alat|tgo|tgp|got|gpt|ggt|pal|bili|bt|bil|lip|lipase|cpk|ck|ldh|trop|tropo|bnp|glu|gly|glyc|alb|vs|lac|lact|"
    r"lactates?|bun|ntprobnp|ddim|po2|pco2|pao2|paco2|be|psa|tsh|fsh|lh|e2|p4|amh|hcg|bhcg|ferr|vgm|mcv|"
    r"leu[ck]o?s?|hba1c)"
)
_FIGURE = r"\+?[ :=]{0,2}[<>]? ?\d{1,5}(?:[.,]\d{1,3})?[*hl+-]{0,2}"
_RUN = re2.compile(
    rf"[\n ,;:(|/](?:{_VALUE}{_FIGURE}(?: ?(?:mmol|g|mg|u|ui|%)(?:/d?l)?)?[ ,;|/\n.]{{1,4}}){{2,20}}".encode()
)
_NAMES_IN_RUN = re.compile(rf"\b({_VALUE})\+?[ :=]{{0,2}}[<>]? ?\d".encode())
_SERIES = re2.compile(rb"\b[a-z0-9]{2,10}[ :]{1,2}\d{1,5}(?:[.,]\d+)? ?-+> ?\d{1,5}(?:[.,]\d+)?")
_SIDED = re2.compile(  # «index G», «L hallux»: a side in one capital, as only notes write it
    rb"\b(?:[Bb]ras|[Mm]ain|[Ii]ndex|[Pp]ouce|[Mm]ajeur|[Dd]oigt|[Pp]oignet|[Ee]paule|[Cc]oude|[Gg]enou|"
    rb"[Hh]anche|[Cc]heville|[Pp]ied|"
    rb"[Tt]alon|[Oo]eil|[Oo]reille|[Tt]ympan|[Ss]ein|[Rr]ein|[Jj]ambe|[Cc]uisse|[Mm]ollet|[Ff]lanc|[Bb]ase|"
    rb"[Ll]obe|[Ff]emur|[Tt]ibia|[Mm]embre|"
    rb"[Oo]rteil|[Hh]allux|[Mm]andibule|[Ff]esse|[Aa]ine|[Ff]osse iliaque|[Aa]vant-bras|[Hh]emiparesie|"
    rb"[Ss]ciatique) [GD]\b|"
    rb"\(?\b[LR]\)? (?:arm|hand|wrist|shoulder|elbow|knee|hip|ankle|foot|heel|eye|ear|breast|kidney|leg|thigh|"
    rb"calf|flank|lobe|lung|femur|toe|"
    rb"hallux|thumb|finger|groin|iliac|neck|base|temple|cheek|ureter|ovary|testis|adnexa)\b"
)
_LETTER = re2.compile(rb"[\n .;]([SOAEP]) ?[:/] ?[^\n]")
_TOOTH = re2.compile(
    rb"\b(?:[ul][lr][1-8]|[1-4][1-8]) ?[,:-]? ?(?:endo|extr|avuls|mod\b|od\b|do\b|mo\b|mesial|distal|apik|apic|"
    rb"perc|perk|"
    rb"vit\b|cari|kari|couronn|crown|krone|kroon|corona|pulp|trep|compos|amalg|ttp|mobil|rct|xla|large|fract|"
    rb"bridge|impl|"
    rb"besch|bw\b|devital|devit|otturaz|estraz|obtur)"
)
_CERTIFIED = re2.compile(  # what only who examined somebody can attest
    rb"certifie (?:que l'etat de sante|avoir (?:examine|recu en consultation|vu en consultation))|"
    rb"certifie que [^\n]{0,120}(?:dispense|"
    rb"etat de sante|eviction|contre-?indication|inapte|\bapte|hospitalis|alite)|"
    rb"certify that (?:i (?:have )?examined|[^\n]{0,80}"
    rb"(?:unfit|fit (?:for|to)|under my care|was seen))|arztliche[sr]? (?:attest|bescheinigung)|"
    rb"arbeitsunfahigkeitsbescheinigung|"
    rb"certifico (?:que he (?:examinado|atendido)|di aver visitato)|si certifica che [^\n]{0,80}(?:affett|"
    rb"visitat|ricoverat)|"
    rb"dispensee? (?:de|d') ?(?:piscine|sport|eps|education physique|gymnastique|natation)"
)
_STAY = re2.compile(
    rb"\b(?:ghs|ghm) ?n?[ :]{0,2}\d|forfait journalier|chambre particuliere|ticket moderateur|tiers payant|"
    rb"part amo\b|depassement "
    rb"d'honoraires|fallpauschale|wahlleistung|room and board|hospital charges|copay|ticket sanitario|eigen risico"
)
_STAYED = b"*stay"  # as negatives.py knows it
_MYSELF = re2.compile(
    rb"\b(?:[Cc]'est|[Jj]e suis|[Ii]ci|[Tt]his is|[Mm]y name is|I am|[Hh]ier ist|[Ii]ch bin|[Ss]ono|[Ss]oy|"
    rb"[Mm]e llamo|[Mm]i chiamo|[Mm]ijn naam is|"
    rb"[Ii]k ben|[Mm]eu nome e) ([A-Z][a-z]{2,20} [A-Z][A-Za-z'-]{2,20})\b"
)
_FEVERISH = re2.compile(  # as parents and nurses say it: «elle a 39 depuis hier»
    rb"\b(?:a|avait|fait|has|had|hat|ha|tiene|heeft|monte a|temp|febrile a) (?:du |des |de la fievre a |"
    rb"up to )?(?:3[89]|40)(?:[.,]\d)? ?"
    rb"(?:c )?(?:depuis|hier|ce matin|ce soir|cette nuit|since|last night|seit|da ieri|desde|sinds|de fievre|of fever)"
)
_COURSE = {
    b"*day after": re2.compile(
        rb"\bj ?\+ ?\d{1,3}\b|\bpod ?#?\d{1,2}\b|\b[jd]\d{1,2} post|\bpost ?op j ?\d"
    ),
    b"*session": re2.compile(
        rb"\b(?:seances?|sesion|seduta|sessao|behandeling|session|entretien|consultation|visite) "
        rb"(?:n ?)?\d{1,2}(?: ?/ ?\d{1,2})?\b|\b\d{1,2}(?:e|eme|er|re) (?:seance|entretien|consultation|visite)\b"
    ),
    b"*for weeks": re2.compile(
        rb"\b[1-9]\d?/(?:7|52|12)\b|\b(?:x|depuis|depuis environ|seit|da|desde|sinds|for|since) ?\d{1,2} ?"
        rb"(?:j|jours?|sem|semaines?|mois|ans|h|tage[n]?|wochen|monate[n]?|giorni|settimane|mesi|dias|semanas|"
        rb"meses|dagen|"
        rb"weken|maanden|days|weeks|months|wks|d|w)\b"
    ),
    b"*see again": re2.compile(
        rb"\b(?:rdv|rv|r/v|ctrl|controle|revoir|revu|revue|a revoir|f/u|fu|tca|wv|kontrolle|controllo|revision|"
        rb"retour|reevaluer|"
        rb"reeval|prochaine|review|rtc|rtn)[ :]{1,2}(?:dans |in |en |tra |over |le |on |a )?(?:\d{1,2} ?(?:j|"
        rb"jours?|sem|semaines?|"
        rb"mois|h|d|w|wks?|weeks?|months?|wochen|tage[n]?|/7|/52|/12|m)\b|lundi|mardi|mercredi|jeudi|vendredi|"
        rb"demain|ce soir|"
        rb"mon|tue|wed|thu|fri|tomorrow|tmrw)"
    ),
    b"*kin": re2.compile(
        rb"\b(?:fille|fils|epouse|mari|conjointe?|maman|papa|mere|pere|famille|wife|husband|daughter|son|mum|"
        rb"mom|nok|tochter|sohn|"
        rb"ehefrau|moglie|marito|figlia|figlio|hija|hijo|esposa|dochter|zoon|echtgenote) (?:prevenue?s?|"
        rb"informee?s?|signale|appelle|"
        rb"presente?|au chevet|rapporte|avise[e]?|at bedside|updated|aware|informed|called|reports|states|"
        rb"informiert|avvisat[ao]|"
        rb"informad[ao]|gebeld|hcp)\b|\b(?:appel|tel|coup de fil|phone call|t/c|tc)[ :]{1,2}(?:de |d'|from |"
        rb"with )?(?:la |sa |son )?"
        rb"(?:fille|fils|epouse|mari|mere|maman|mme|m\.|mr|patiente?|daughter|son|wife|mum|pt)\b"
    ),
    b"*tolerated": re2.compile(
        rb"\b(?:bien tolere[es]?|bonne tolerance|conseils donnes|sort(?:ie)? avec|vu avec|vu ce jour|"
        rb"vue ce jour|avis (?:cardio|neuro|chir|"
        rb"psy|ortho|orl|rea|pneumo)|tolerated well|d/w (?:pt|fy\d|gp|reg|consultant|family)|pt happy|pt wants|"
        rb"advice given)\b"
    ),
    b"*patient is": re2.compile(
        rb"\b(?:patiente?|pte?|pat\.?|pz|pcte|bewohnerin) (?:se plaint|est|a ete|vue?|revue?|adressee?|venue?|"
        rb"sous|connue?|c/o|reports|seen|has|"
        rb"was|is|rang|presents|states|denies|says|feels|klagt|berichtet|kommt|erhalt|refiere|acude|riferisce|"
        rb"lamenta|geeft|meldt|heeft)\b"
    ),
    b"*done": re2.compile(
        rb"\b(?:adressee?s? (?:a|au|aux|en|sos|chez)|reverra|(?:bilan|scanner|tdm|irm|echo|rx|ecg|avis|radio|"
        rb"nfs|labo|ecbu|fcu)s? (?:demandee?s?|"
        rb"prescrite?s?|faite?s?|a faire|prevue?s?|ce jour|ok|nx|normale?)|(?:sortie|leve|bloc|scanner|irm|"
        rb"transfert) (?:demain|prevue?|ce jour|"
        rb"ce soir)|hospit(?:alisee?)? (?:hier|ce jour|ce matin)|operee? (?:hier|ce matin|ce jour|le)|"
        rb"deces constate|(?:told|advised) to|"
        rb"(?:cxr|ct|mri|bloods|swab|ecg|xr|uss|urine|msu) (?:requested|taken|sent|done|nad|ordered|booked|"
        rb"pending)|(?:gp )?ref(?:erral)? "
        rb"made|(?:ent|ortho|cardiology|surgeons|med reg|gp) aware|rappeler (?:la |le )?(?:mere|fille|patiente?|"
        rb"mme|labo|dr)|previens |prevenir "
        rb"(?:la |le |sa )?(?:mere|famille|fille|mt|dr))\b"
    ),
    b"*bed": re2.compile(rb"\b(?:chambre|ch\.?|lit|bed|zimmer|kamer|letto|hab\.?|box|poste) ?(?:n ?)?\d{1,3}\b"),
}  # fmt: skip

_BY_LINE = (_RUN, _SERIES, _TOOTH, _FEVERISH, _CERTIFIED, _STAY)
_told = which(*_BY_LINE, *_COURSE.values())  # one search for all: a page of a few lines shows little of it
_COURSE_NAMES = dict(enumerate(_COURSE, len(_BY_LINE)))
_BY_CASE = (_LETTER, _SIDED, _MYSELF)
_shown = which(*_BY_CASE)
_SURELY = frozenset((b"*day after", b"*kin"))  # hardly ever written but of one person under care


def read_jottings(evidence: Evidence, page: Folded) -> list[int]:
    """Add what hurried notes say to ``evidence``; where it stands, as offsets of the folded text. Linear."""
    if len(page.lines) > LONGEST:
        return []
    _add_words(evidence, page)
    places: list[int] = []
    told, shown = _told(page.lines), _shown(page.cased)
    if told:
        _add_values(evidence, page, places)
    if shown:
        _add_letters(evidence, page)
    for number in sorted(told):
        if name := _COURSE_NAMES.get(number):
            evidence.phrases.add(name)
            (evidence.letters if name in _SURELY else evidence.narrative).add(name)
    if told:
        _add_statements(evidence, {_BY_LINE[number] for number in told if number < len(_BY_LINE)})
    if shown and evidence.terms and (myself := _MYSELF.search(page.cased)) and len(evidence.names) < _MOST:
        evidence.names.add(b" ".join(sorted(myself.group(1).lower().split())))
    return places


def _add_letters(evidence: Evidence, page: Folded) -> None:
    letters = b"".join(page.cased[slice(*found[1])] for found in groups(_LETTER, page.cased))
    if b"SOAP" in letters or b"SOEP" in letters:
        evidence.sections.update((b"*s", b"*o", b"*a", b"*p"))
    sides = {page.cased[start:end].lower() for start, end in islice(spans(_SIDED, page.cased), _ROW)}
    evidence.sides = len(sides)
    evidence.terms.update(sorted(sides)[:_TOGETHER])


def _add_statements(evidence: Evidence, found: set[Any]) -> None:
    if _FEVERISH in found:
        evidence.vitals.add(b"*fever")
        evidence.narrative.add(b"*fever")
    if _CERTIFIED in found:
        evidence.titles[Kind.CERTIFICATE] = evidence.titles.get(Kind.CERTIFICATE, 0) + 1
    if _STAY in found:
        evidence.sections.add(_STAYED)


def _add_words(evidence: Evidence, page: Folded) -> None:
    words = page.words.split()
    if words and len(page.words) <= _NOTE:
        evidence.sentences = sum(word in _BINDING for word in words) / len(words)
    found = _words().intersection(words)
    if not found:
        return
    found = found - evidence.terms - evidence.lab_values - evidence.vitals - evidence.drugs
    if len(found) >= _TOGETHER:
        evidence.terms.update(sorted(found)[:_MOST])
    short = sum(len(word) <= _SHORT for word in found)
    against = any(evidence.against.get(family, {}).keys() & {"s", "d"} for family in _TO_OTHERS)
    if short >= _DENSE and not against:
        evidence.narrative.add(b"*shorthand")
        if short >= 2 * _DENSE - 2:
            evidence.letters.add(b"*shorthand")


def _add_values(evidence: Evidence, page: Folded, places: list[int]) -> None:
    for start, end in islice(spans(_RUN, page.lines), _ROW):
        evidence.lab_values.update(b"*" + name for name in _NAMES_IN_RUN.findall(page.lines[start:end]))
        places.append(start + 1)
    for start, end in islice(spans(_SERIES, page.lines), _ROW):
        evidence.lab_values.add(b"*" + page.lines[start:end].split(b" ")[0])
        places.append(start)
    for start, end in spans(_TOOTH, page.lines):
        if len(evidence.measures) < _MOST:
            evidence.measures.add(page.lines[start:end])
            places.append(start)


@lru_cache(maxsize=1)
def _words() -> frozenset[bytes]:
    """All short words, folded; those that fall into pieces in the view ``words`` (« c/o ») are left out."""
    content = (resources.files("agent.detection") / "data" / "jottings.tsv").read_text("utf-8")
    found: set[bytes] = set()
    for line in content.splitlines():
        if line and not line.startswith("#"):
            found.update(fold_term(word) for word in line.partition("\t")[2].split())
    return frozenset(word for word in found if len(word) > 1 and b" " not in word) - _ALSO_ORDINARY


_NOTE = 900  # folded bytes of a note
_BINDING = frozenset(  # the words that hold sentences together; who jots leaves them out
    b"le la les l de des du d un une et est en dans pour que qui sur avec par au aux ce cette ces se s son sa ses il"
    b" elle ils elles on nous vous je ne n the of and to in a an is are was for with on at by that this it he she they"
    b" we you i be has have had from as or not der die das und den dem ein eine einer einem einen ist sind im zu zum"
    b" zur mit von vom auf fur nicht sich auch als am es er sie wir ich hat haben war lo gli uno di del della dei"
    b" delle che con da nel nella al alla sono si non el los las una unos y por para su sus no het een van op te met"
    b" voor zijn dat niet aan o os um uma do dos das na com em ao".split()
)
_ALSO_ORDINARY = frozenset(  # French, English, German, Italian, Spanish, Dutch words of every page
    b"on is us or as pm am no if at it in so re me to for and the de le la du et un or par pas sur mais tire "
    b"dort mots av si sa st"
    b" col mid cor plat add ext bord sup text son axe cap cat sets echo od og is ci cs po pr ho va an ed ab x "
    b"pan app os fl points"
    b" ml mg dl stat sud apa dc uf ap lo dd ed st va cd pat fc ta pa mt the um fu mst or ohne labor frame reps "
    b"layer drain wound pads"
    b" temps image poste absence gel poids taille sport lot charges port reprise rappel rappels dose alone home "
    b"sick blue risk food period mood low flat voice wet voices"
    b" thoughts cycle grade kitchen stairs cough results scan home mi im bon conseille reduction tolerance "
    b"evolution progression safe drinking radio seances arret travail operation"
    b" vit medecin infirmiere chirurgien specialiste pharmacie dort pleure triste sommeil retour malaise poids"
    b" debut normal normale stable"
    b" fils plan add od pc bb the transfert seance entretien alcool".split()
)
