"""The shapes of persons within sentences, and of what stands beside them, that ``told.py`` goes by. Patterns and words
only, on folded text.
"""

from __future__ import annotations

import re

import re2

from agent.detection.head_words import STAFF
from agent.detection.linear import anywhere, at_start

_LAST = rb"\n?\z"  # what ``$`` means to ``re``
_PART = (
    rb"(?:(?:de|du|des|d'|la|le|van|von|den|der|el|ben|da|di|do|dos|del|ter|De|Du|Des|La|Le|Van|Von|Der|Den|El|Ben|"
    rb"Da|Di|Do|Dos|Del|Ter|DE|DU|DES|LA|LE|VAN|VON|DER|DEN|EL|BEN|DA|DI|DOS|DEL|TER) ?){0,2}"
)
_CAP = rb"[A-Z][A-Za-z'\-]+"
TITLED = re.compile(
    rb"(?P<title>[A-Za-z.']+(?: (?:ra|na|heer|petite?))?)\.? (?:l'enfant |et (?P<other>[A-Z][a-z]+)\.? )?"
    rb"(?:[A-Z]\. ?){0,2}(?P<name>" + _PART + _CAP + rb"(?: " + _PART + _CAP + rb"){0,2})"
)
_TWO_WORDS = rb"\b" + _CAP + rb" (?:(?:et|and|und|e|y|en) " + _CAP + rb" )?(?:" + _PART + rb")" + _CAP
FULL = re2.compile(_TWO_WORDS)
TWO_WORDS_THERE = re.compile(_TWO_WORDS)
SHORT = (re2.compile(rb"\b" + _CAP + rb" [A-Z]\."), re2.compile(rb"\b(?:[A-Z]\. ?){1,2}" + _CAP))
"""«Camille R.», «T. Ashworth»."""
WITH = re.compile(rb"\b(?:M|Mr|Mrs|Mme|Monsieur|Madame|Herrn?|Frau|Hr|Sra?|Sig|Dhr)\.? (?:et|and|und|e|y|en|&) $")
"""« M. et » before « Mme Delpech »."""
ALONE = re.compile(rb"\b(?:(?P<m>Monsieur|M\.|Mr)|Madame|Mme|Mrs)(?= (?:\([A-Z][a-z]+\) )?[a-z]|,? \([A-Z])")
"""Each of a couple named before: «Monsieur (Robert) garde …», «Mme est sous …»."""
AGED = re.compile(rb",? \(?\d{1,3} ?(?:ans?|a|y|yo|years|Jahre|J|anni|anos|jaar|mois|months|Monate|mesi|meses)\b")
END = re2.compile(rb"[^A-Z][a-z0-9)%\"][.!?;] +(?:[A-Z0-9\"(-])|\n ?[A-Z0-9*>(\[#\n-]")
WOMAN = frozenset(
    b"mme mmes mlle melle madame mademoiselle mrs ms miss frau fr sigra signora signorina sra senora senorita mw mevr"
    b" mevrouw mejuffrouw dona dna".split()
)
MAN = frozenset(b"m mr monsieur herr herrn hr hrn sig signor sr senor don dhr meneer".split())
TITLES = WOMAN | MAN | frozenset(b"enfant l'enfant bebe baby lepetit lapetite patient patiente pt pte pat".split())
AND = frozenset((b"et", b"and", b"und", b"e", b"y", b"en"))
WITHIN = frozenset((b"-", b"."))  # «Dr P.-M. Crenn»
NOBODY = frozenset(  # with a capital beside a given name, yet no family name
    b"salut cher chere bonjour bonsoir hello dear hi hallo liebe lieber ciao caro cara hola querido querida "
    b"beste merci "
    b"matrona arm anaes anaesth cons reg hebamme levatrice ide idel idec ibode iade ash aes mk ep sf mkde rn rgn "
    b"sho fy1 fy2 gp oss due "
    b"mfa pflege dienst og od nb ps".split()
)
stands_aside = anywhere(  # who stands behind these is not spoken of
    rb"(?:\b(?:avec|par|cc|chere?|bonjour|bonsoir|merci|confrere|collegue|consoeur|rue|avenue|av|boulevard|bd|place|"
    rb"impasse|chemin|allee|quai|square|route|hopital|clinique|centre|institut|ecole|college|lycee|residence|ehpad|"
    rb"foyer|fondation|laboratoire|pharmacie|cabinet|maison|saint|sainte|st|ste|syndrome|maladie|signe|test|score|"
    rb"echelle|classification|technique|manoeuvre|operation|intervention|selon|loi|prix|hospital|clinic|street|road|"
    rb"dear|hi|hello|with|by|from|disease|scale|liebe|lieber|hallo|durch|mit|strasse|klinik|krankenhaus|"
    rb"ospedale|via|piazza|gentile|egregio|cara|caro|con|por|calle|plaza|querid[oa]|estimad[oa]|beste|door|met|"
    rb"ziekenhuis|firma|societe|sarl|tel|de ?:|a ?:|from ?:|to ?:|cc ?:|signe|suppleant|remplacant|rempl|psy|ass|"
    rb"clg|lyc|oma|opa|mamie|papi|mamy|papy|grand-?mere|grand-?pere|"
    rb"grandma|grandpa|nonn[ao]|abuel[ao]|onkel|matrona|hebamme|"
    rb"confiance : [a-z]{3,12}|confiance :|levatrice|verloskundige|enfermer[oa]|infermier[ea]|verpleegkundige|"
    rb"pfleger|nurse|sister|charge|"
    rb"assistant[e]?(?: sociale)?|educ|orthophoniste|ergo|psychomot|hospitalier|universitaire|chu|chi|chr|"
    rb"institutrice|etudiante?|animateur|animatrice|secretaire|auteure?|autrice|author|autor|ersteller|student|schuler|"
    rb"professeure?|enseignante?|maitresse|juge|referente?|responsable|contact|prescripteur|operateur|redactrice|"
    rb"redacteur)"
    rb"(?: de| du| des| d'| of| von| di| van)? ?[.:]? ?)" + _LAST
)
is_staff = anywhere(STAFF.pattern.removesuffix(b"$") + _LAST)
_RELATIVE = (
    rb"(?:fille|fils|epouse?x?|mari|conjointe?|compagne|compagnon|femme|soeur|frere|mere|pere|maman|papa|tante|oncle|"
    rb"niece|neveu|voisine?|aidante?|tuteur|tutrice|curatrice|curateur|wife|husband|son|daughter|mother|father|sister|"
    rb"brother|partner|neighbour|tochter|sohn|ehefrau|ehemann|mutter|vater|schwester|bruder|moglie|marito|figli[oa]|"
    rb"madre|padre|sorella|fratello|hij[oa]|esposa|marido|hermana|hermano|dochter|zoon|echtgeno(?:te|ot)|moeder|vader)"
)
_HERS = rb"(?:sa|son|ses|leur|his|her|their|seine[rmn]?|ihre[rmn]?|ihr|sein|la sua|il suo|sua|suo|su|zijn|haar)"
KIN = re.compile(rb"\b" + _HERS + rb" " + _RELATIVE + rb"(?: est|,| is| ist)? $")
is_kin = anywhere(KIN.pattern.removesuffix(b"$") + _LAST)
is_of_kin = anywhere(rb"\b" + _RELATIVE + rb"(?: de| d'| of| von| di| van)? " + _LAST)  # «fille de M. X»: X is meant
is_kin_behind = at_start(rb",? ?\(?" + _HERS + rb" " + _RELATIVE)
PATIENT_TOO = re.compile(  # said right behind a name
    rb",? ?\(?(?:que (?:vous|tu) (?:suivez|suis|connaissez|connais)|(?:votre|ta) patiente?|your patient|"
    rb"you (?:also )?know|auch ihr(?:e|en)? patient|ihr(?:e|en)? patient|sua paziente|suo paziente|su paciente|"
    rb"uw patient)"
)
HEADS_ENTRY = re.compile(rb" ?:")
KIN_MEN = frozenset(
    b"fils epoux mari conjoint compagnon frere pere papa oncle neveu voisin husband son father brother sohn ehemann "
    b"vater bruder marito figlio padre fratello hijo marido hermano zoon echtgenoot vader".split()
)
KIN_WOMEN = frozenset(
    b"fille epouse conjointe compagne femme soeur mere maman tante niece voisine wife daughter mother sister tochter "
    b"ehefrau mutter schwester moglie figlia madre sorella hija esposa hermana dochter echtgenote moeder".split()
)
