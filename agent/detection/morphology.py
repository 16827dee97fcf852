"""Medical words and medicines by their shape: Greek and Latin word formation and the stems of international names.

Owns the endings, beginnings and stems that the medical vocabulary of seven languages (fr en de it es nl pt) shares, and
the ordinary words that happen to have such a shape. No word list holds every operation, every inflammation and every
new medicine; their formation is regular. Takes the view ``words`` of a folded page, returns words; a shape is a weak
sign, counted as one medical word. The stems of medicines follow WHO's «stem book» (INN); what all of this weighs
is combine.py. Linear in the text: one automaton.
"""

from __future__ import annotations

from collections.abc import Iterator

import re2

from agent.detection.linear import fitting, holding, spans

_MOST = 80  # shaped words looked at a page: more would say nothing new

_INFLAMED = (
    "arthr|artr|tendin|bronch|bronqu|bronc|gastr|h?epat|nephr|nefr|cyst|cist|zyst|dermat|phleb|fleb|"
    "encephal|encefal|mening|col|"
    "appendic|apendic|sinus|rhin|rin|laryng|laring|pharyng|faring|trache|traque|pleur|pericard|endocard|myocard|"
    "miocard|myel|miel|neur|nevr|spondyl|spondil|espondil|pancreat|cholecyst|colecist|angiochol|diverticul|prostat|"
    "pyel|piel|salping|endometr|vagin|mast|kerat|cherat|querat|conjonctiv|conjuntiv|congiuntiv|uve|blephar|"
    "blefar|gingiv|gengiv|stomat|estomat|gloss|parotid|thyroid|tiroid|aden|lymphang|linfang|arter|vascul|aort|capsul|"
    "epicondyl|epicondil|burs|synov|sinov|fasci|myos|mios|periton|oesophag|esofag|duoden|ile|proct|orchi|"
    "orch|epididym|epididim|"
    "urethr|uretr|radicul|sacroil|ot|amygdal|amigdal|tonsil|pneumon|polmon|cellul|bartholin|pouch"
)
_STATE = (
    "thromb|tromb|fibr|scler|skler|escler|cirrh|cirr|zirrh|sten|esten|arthr|artr|psych|psic|nevr|neur|"
    "necr|nekr|myc|mic|"
    "tubercul|tuberkul|tubercol|por|sarcoid|sarkoid|endometri|cyan|cian|zyan|acid|azid|alcal|alkal|kyph|"
    "cif|scoli|skoli|"
    "escoli|lord|listh|list|amaur|diverticul|divertikul|polyp|polip|dermat|lymphocyt|amyloid|amiloid|chromat|ankyl|"
    "anchil|anquil|coni|silic|asbest|mononucle|brucell|brucel|plasm|salmonell|legionell|candid|aspergill|nephr|nefr|"
    "steat|esteat|elast|xer|cet|ket|tyr|phimo|fim|leuco?cyt|thrombocyt|hidr|parasit|toxic|tox"
)
_TUMOUR = (
    "carcin|karzin|lymph|linf|lymf|sarc|sark|aden|lip|fibr|my|mi|melan|gli|mening|neurin|neur|blast|"
    "h?a?emat|hamat|granul|"
    "glauc|glauk|papill|papil|angi|chondr|condr|oste|terat|semin|thym|tim|insulin|cromocit|chromocyt|esteat|xanth|"
    "schwann|condyl|condil|kondyl|plasmocyt|plasmozyt|plasmocit|myel|miel|h?epat|mesotheli|mesoteli|astrocyt|"
    "astrocit|kraniopharynge|craniopharyngi|keratin|h?idraden|trach|ather|ater|cystaden"
)
_PICTURED = (
    "echo|eco|radio|scinti|szinti|scinti|angio|coronaro|koronar|koronaro|mammo|mamo|sono|tomo|phlebo|"
    "flebo|arterio|cysto|cisto|uro|"
    "cardio|kardio|encephalo|encefalo|enzephalo|myo|elettromio|electromio|spiro|cholangio|colangio|densito|somno|"
    "sonno|angio|retino|artho|arthro|artro|lympho|ventriculo|capillaro|oculo|gastro|defeco|myelo|mielo|"
    "toko|toco|audio"
)
_ENDINGS = (
    rf"(?:{_INFLAMED})(?:ites?|itis|itiden?|itides|itidi|iti)|"
    r"[a-z]{4,}(?:itis|itide|itides)|"
    r"[a-z]{4,}(?:ectomi|ostomi)(?:es?|as?|en|sees?|see|zad[ao])|[a-z]{3,}(?:ectomy|ostomy|otomy|otomies|"
    r"otomie|otomia|otomien)|"
    r"[a-z]{3,}(?:oplast(?:ies?|y|ik|iken|ia|ias|iek)|os[ck]op(?:ies?|y|ia|ias|ien))|"
    rf"[a-z]*(?:{_PICTURED})gra(?:ph|f)(?:ies?|y|ia|ias|ien|isch|isches?|ica|ico|ique|iques)|"
    r"[a-z]{3,}(?:algi(?:es?|as?|en|que|ques|co|ca)|megal(?:ies?|y|ia|ias)|plegi(?:es?|as?|en|que|c|co|ca)|"
    r"(?:hemi|mono|para|tetra|quadri|rest|facialis)pares(?:is|ie|ies|e|en|ia|i))|"
    r"[a-z]{2,}(?:aemia|h?emies?|emias?|iemi[ae]|anamie[n]?|[ck]amie|hamie|uramie|glykamie|leukamie|"
    r"oxamie|lipidamie|kaliamie)|"
    r"(?:an|olig|dys|dis|poly|poli|h?a?emat|hamat|protein|albumin|glucos|glycos|glicos|glukos|bacteri|"
    r"batteri|bakteri|keton|"
    r"ceton|cheton|nyct|nict|noct|leuc|leuk|leucocit|py|pi|en|pollaki|myoglobin|porphyr|crystall?)uri(?:es?|as?|en)|"
    rf"[a-z]*(?:{_STATE})os(?:is|es?|en|i|ica|ico|ique|iques)|[a-z]{{4,}}(?:osis|iasis|iasi)|"
    rf"[a-z]*(?:{_TUMOUR})om(?:as?|es?|en|i|ata|atose|atosis|atosi|ateux)?|"
    r"[a-z]{3,}path(?:ies?|y|ia|ias|ien|ique|iques|ic|isch|ische|isches?)|[a-z]{4,}patias?|"
    r"[a-z]{2,}(?:rrh(?:ees?|ea|oea|oe|o|ages?|agies?|agia|agique|agiques|agic|agisch|agische)|"
    r"rragi(?:as?|e|en|co|ca|que|ques))|"
    r"(?:dia|ameno|dismeno|leuco|oto|rino|sebo|gono|pio|galatto|galacto|meno|logo|stea?to)rre(?:a|as|ia|e)|"
    r"[a-z]{4,}(?:penies?|penia|penias|penien|[cz][yi]tos(?:is|es?|en|i))|"
    r"[a-z]{2,}(?:pnees?|pnea|pnoea|pnoe|pneia|pneic[oa]|pneique|pnoisch|pnoisk)|[a-z]{3,}e[ck]tasi(?:es?|as?|en)|"
    r"(?:hydro|varico|cysto|recto|cisto|retto|idro|hidro|vari[ck]o|omphalo|meningo)[ck]el[ei]s?|"
    r"(?:thrombo|trombo|h?a?emo|hamo|dia|spondylo|spondilo|fibrino|rhabdomyo|rabdomio|osteo)l[yi]s(?:is|e|"
    r"en|i|es)|[a-z]{4,}centes(?:is|e|i)"
)
_BEGINNINGS = (
    r"(?:(?:tachy|tachi|taqui|taquy|brady|bradi|endo|myo|mio|peri|electro|elektro|elettro|dextro)[ck]ardi[a-z]*|"
    r"(?:[ck]ardio(?:m|t|p|v|r|c|e)|gastro(?:en|du|oe|e|p|sc|st|r)|h?epato(?:m|sp|c|p|t|r)|ne(?:ph|"
    r"f)ro(?:p|t|l|st)|neuro(?:p|d|m|v|f|bl)|"
    r"osteo(?:p|s|m|c|ar|ly|f|ne)|h?emato(?:m|s|c|t|p)|arthro(?:p|d|s)|artro(?:p|d|s)|broncho(?:p|s)|"
    r"bronco(?:p|s)|cholecyst|colecist|cholezyst|"
    r"cholangi|colangi|choledoch|coledoc|oesophag|esophag|esofag|osophag|duoden|pancreat|pankrea|pyelo|"
    r"pielo|hydroneph|hidronef|idronef|"
    r"lymphaden|linfoaden|linfaden|adenopat|lymfad|thrombo(?:[pcse])|trombo(?:[pcse])|spondyl|espondil|"
    r"spondil|laparo[st]|thoraco|toraco|"
    r"h?[iy]stero(?:s|e|m)|hysterekt|myelo[pmd]|mielo[pmd]|pneumo(?:thora|path|peri|ni|tora)|pleuro|"
    r"peritone|retroperit|subarach|subdural|epidural|"
    r"periarti|intraperi|sacroili|lumboisch|lumbosac|lombosc|cervicobr|paraverteb|mediastin|parenchym|"
    r"parenquim|parenchim|"
    r"supraclav|sopraclav|subclav|sousclav|infraren|endometri|endotrach|intravent|intraepit|transaminas|"
    r"leu[ck]o[czp]|thrombo[cz]|eryth?ro[cz]|"
    r"trombo[cz]|mammil|meniscu|menis[ck]ect|metastas|metastat|metastas|anastomos|auscult|auskult|"
    r"palpator|percutan|perkutan))[a-z]{2,}|"
    r"h?[yi]p(?:er|o)(?:tens|ten[ds]|ton|gly[ck]|gli[ck]|kal|calc|kalz|natr|lipid|lip|thyr|tir|th?yreo|ox|"
    r"vol|albumin|protein|chol|colest|trigl|trop|"
    r"plas|ventil|[ck]apn|a?esth?e|ast|reflex|prolact|parat|ur[iy][ck]|bilir|pigm|kerat|cherat|therm|term|"
    r"somn|dens|echo|eco|intens|sensib|metro|acus|akus|aldost|"
    r"spad|xi|[ck]ine|ch?ines|quin|ac[uo])[a-z]{2,}|"
    r"(?:dys|dis)(?:pha[gs]|fag|phon|foni|urie|uria|arthr|artr|mno?rr|menorr|peps|plas|lip[ie]d|thym|timi|"
    r"[ck]ines|chines|esth|aesth|"
    r"trophi|trof|autono|morph[is])[a-z]{1,}"
)
_MEDICINE = (
    r"[a-z]{3,}(?:(?:pril|sartan|olol|[a-z]statin|prazol|[ck]onazol|nidazol|bendazol|dipin|floxa[cz]in|"
    r"[ck]icl?lin|mi[cz]in|my[cz]in|[cz]il+in|"
    r"triptan|setron|glipti?n|gliflo[zc]in|glutid|xaban|gatran|oxetin|zapin|tiapin|azepin|[ck]iclovir|"
    r"navir|fovir|buvir|asvir|tegravir|amivir|"
    r"vudin|profen|oxi[ck]am|[ck]oxib|terenol|tropium|buterol|meterol|moterol|daterol|lanterol|butamol|"
    r"semid|tiazid|thiazid|lukast|(?:cis|carbo|oxali)platin|"
    r"rubicin|taxel|[ck]itabin|[ck]i[ck]lib|parib|tinib|rafenib|zomib|gabalin|gabapentin|racetam|trigin|"
    r"dronat|trexat|thyroxin|tiroxin|grastim|poetin|"
    r"peridol|peridon|piprazol|zolam|azepam|talopram|imipramin|triptylin|triptilin|thiazepin|tamsulosin|"
    r"dutasterid|nasterid|prednisolon|methason|metason|"
    r"[ck]ortison|[ae]sonid|(?:lido|bupi|ropi|mepi|arti|pro|tetra)cain|tuximab|lizumab|limumab|cizumab|"
    r"zumab|ximab|tumab|kinumab|numab|lumab|mumab|xaparin|teparin|zaparin|heparin|eparin)(?:e|a|o|um|en|"
    r"i|as|es)?|"
    r"grel|grelor|nercept|atacept|bercept)"
)
_SHAPES = re2.compile(f" (?:{_ENDINGS}|{_BEGINNINGS}|{_MEDICINE}) ".encode("ascii"))
_is_medicine = fitting(re2.compile(_MEDICINE.encode("ascii")))
_ORDINARY = frozenset(
    b"dichotomie dichotomies dichotomy dicotomia dicotomie autotomie telescopie microscopie microscopy "
    b"kaleidoscopie mikroskopie "
    b"microscopia diagnosis diagnosi prognosis prognosi hypnosis hipnosis metamorphosis metamorfosis "
    b"metamorfosi symbiosis simbiosis "
    b"simbiosi osmosis apotheosis apoteosis photosynthesis fotosintesis osmose hypnose symbiose ipotiposi enfiteosis "
    b"apathy apathie apathique apatia enemies enemie archenemies tremies retremia espremia fremia bohemia "
    b"boemia boemias abstemia abstemias "
    b"grandiose poroses porose porosi porosen vaporose vaporosi qualsiasi ouistitis ouistitite tomates "
    b"tome tomes myome "
    b"hypertexte hypertext hyperlien hypersensibles hypotheque gastropub concilino jeremie jeremies".split()
)
# Parts of ordinary words; the names of specialities and of those who practise them say nothing of a patient.
_has_part = holding(
    re2.compile(
        b"|".join(
            b"log iatr cadem kadem premi chemie chimie mpath mpatia telepat ntipat simpat nostalg blasfem "
            b"blasphem polysemi polissemi homeop "
            b"homoop sociopat allopat psychopat psicopat pidemi endemi andemi galvano dosis spectros spektros "
            b"spettros espectros hysteri "
            b"radiophon stereos astroscop metempsi mitis arthropod artropod osteopath alchem neuroptero opterat".split()
        )
    )
)


def shaped(words: bytes) -> Iterator[tuple[bytes, int, bool]]:
    """(word, its end, it is a medicine by its stem) for the words of medical shape, at most 80.

    Of two adjacent ones the second may be passed over: they share the blank.
    """
    judged: dict[bytes, bool | None] = {}  # a medicine, a term, or (None) an ordinary word
    for number, (start, end) in enumerate(spans(_SHAPES, words)):
        if number >= _MOST:
            return
        word = words[start + 1 : end - 1]
        if word not in judged:
            judged[word] = None if word in _ORDINARY or _has_part(word) else _is_medicine(word)
        medicine = judged[word]
        if medicine is not None:
            yield word, end - 1, medicine
