"""HL7 version 2 messages, as laboratory systems, hospital hubs and registers of several countries write them."""

from __future__ import annotations

import base64

from containers import pdf
from people import CH, EN, ES, FR, NL, PT, US, Person, add, near


def msh(event: str, version: str = "2.5", extra: str = "", sender: str = "GLIMS|LABO") -> str:
    return rf"MSH|^~\&|{sender}|DPI|CHB|20240312081544||{event}|M{len(event)}7731|P|{version}{extra}"


def pid(p: Person, number: str = "30114", tail: str = "") -> str:
    return f"PID|1||{number}^^^HOPITAL^PI||{p.family}^{p.given}^^^^^L||{p.born}|{p.sex}|||{p.street}^^{p.city}^^{p.postcode}{tail}"


def results() -> None:
    a, b, c, d, e, f = FR[:6]
    add("hl7/a01.hl7", "\r".join([msh("ORU^R01", "2.3.1"), pid(a), "OBR|1|889|L2291|CHIMIE^Chimie sanguine|||20240312073000", "OBX|1|NM|2160-0^Créatinine^LN||148|µmol/L|45-84|H|||F", "OBX|2|NM|2823-3^Potassium^LN||5.6|mmol/L|3.5-5.1|H|||F", "NTE|1||Contrôle conseillé sous 48 h\r"]), "hl7v2", 1)
    add(
        "hl7/a02.txt",
        "\r\n".join(["MSH#*+\\@#CYBERLAB#BIO#MEDECIN#CAB#202401190911##ORU*R01#55012#P#2.4", f"PID###88123*****PI##{b.family}*{b.given}##{b.born}#{b.sex}", "OBR#1##X41#NFS*Numération formule sanguine", "OBX#1#NM#718-7*Hémoglobine##8,9#g/dL#13-17#L###F", "OBX#2#NM#777-3*Plaquettes##92#G/L#150-400#L###F"]).encode(
            "iso-8859-1"
        ),
        "hl7v2",
        1,
        note="other encoding characters, ISO-8859-1",
    )
    page = pdf([f"Compte rendu de consultation : {c.given} {c.family}, née le {c.french}", "Adressée pour dyspnée d'effort. Auscultation : souffle systolique 3/6.", "Conclusion : rétrécissement aortique serré, discussion TAVI."])
    add(
        "hl7/a03.hl7",
        "\r".join([msh("MDM^T02^MDM_T02", "2.5", "||||||UNICODE UTF-8"), "EVN||20240203", pid(c, "4471"), "PV1|1|O|CARDIO", "TXA|1|CR|application/pdf|20240203|||||||D-221|||||AU", "OBX|1|ED|11488-4^Consultation^LN||^application^pdf^Base64^" + base64.b64encode(page).decode() + "||||||F"]) + "\r",
        "hl7v2",
        1,
    )
    add("hl7/a04.dat", "\x0b" + "\r".join([msh("ORU^R01"), pid(d), "OBR|1||77|CRP", "OBX|1|NM|CRP||188|mg/L|<5|HH|||F"]) + "\r\x1c\r\x0b" + "\r".join([msh("ORU^R01"), pid(e, "30119"), "OBR|1||78|HCG", "OBX|1|NM|HCG||2410|UI/L|<5|H|||F"]) + "\r\x1c\r", "hl7v2", 2, note="two MLLP frames")
    add(
        "hl7/a05.log",
        "2024-03-12 08:15:44,101 INFO  [listener-3] connection from 10.4.0.21\n"
        "2024-03-12 08:15:44,120 DEBUG [listener-3] received 412 bytes\n" + "\n".join([msh("ORU^R01"), pid(f, "9921"), "OBR|1||ECBU|ECBU", "OBX|1|ST|GERME||Escherichia coli BLSE > 10^6 UFC/mL||||||F"]) + "\n2024-03-12 08:15:44,322 INFO  [listener-3] ACK sent\n",
        "hl7v2",
        1,
        note="a listener's journal",
    )


def movements() -> None:
    a, b, c, d, e, f = FR[6:]
    add(
        "hl7/b01.hl7",
        "\r".join([msh("ADT^A01^ADT_A01", "2.5^FRA^2.5", "|||||FRA|8859/1"), "EVN||202402140730", pid(a, "000771") + f"||PRN^PH^^^^^^^^^0320{a.born[:6]}", "PV1|1|I|3011^204^1^CHU||||||||||||||||ST2024071", "ZBE|8812^CHU|202402140730||INSERT|N"]).encode("iso-8859-1"),
        "hl7v2",
        1,
        note="admission, no diagnosis",
    )
    add("hl7/b02.hl7", "\r\n".join([msh("ADT^A08", "2.3"), pid(b), "PV1|1|O", "AL1|1|DA|PENI^Pénicilline|SV|Œdème de Quincke", "DG1|1|I10|J45.9^Asthme||20230110|A"]), "hl7v2", 1)
    add("hl7/b03.hl7", "\r".join([msh("ADT^A40^ADT_A39"), "EVN|A40|20240410", pid(c, "12001"), f"MRG|11877^^^HOPITAL^PI||||||{c.family}^{c.given}"]), "hl7v2", 1, note="two files of one person merged")
    add("hl7/b04.hl7", "\r".join([msh("SIU^S12", "2.4", sender="DOCTOPLAN|RDV"), "SCH|77121|||||MAMMO^Mammographie de contrôle ACR4|||20|min|^^^202405021030^202405021050", pid(f, "551"), "RGS|1", "AIS|1||MAMMO^Mammographie bilatérale", "AIP|1||10004512^Dr Lanvin"]), "hl7v2", 1)
    add("hl7/b05.hl7", "\n".join([msh("ORM^O01", "2.3", sender="ORBIS|WARD"), pid(CH, "7781"), "ORC|NW|221", "OBR|1|221||CTABD^CT Abdomen||||||||Verdacht auf Divertikulitis"]), "hl7v2", 1, "de")
    add("hl7/b06.hl7", "\r".join([msh("OML^O21^OML_O21", "2.5.1", sender="SIL|LAB"), pid(ES, "AN0213"), "ORC|NW|ES-9", "OBR|1|ES-9||HBA1C^Hemoglobina glicosilada|||20240601||||||Diabetes mellitus tipo 2", "SPM|1|||SER"]), "hl7v2", 1, "es")
    add("hl7/b07.hl7", "\r".join([msh("RDE^O11^RDE_O11", sender="PYXIS|PHARM"), pid(NL, "5520912"), "ORC|NW|R1", "RXE|1^^^20240601|2201^Acenocoumarol 1 mg|2||TAB", "RXR|PO^oraal"]), "hl7v2", 1, "nl")
    add("hl7/b08.hl7", "\r".join([msh("VXU^V04^VXU_V04", "2.5.1", sender="IIS|ILREG"), pid(US, "MR8891") + "||^PRN^PH^^1^312^5550143", "ORC|RE||IZ-77", "RXA|0|1|20231011||208^COVID-19 mRNA^CVX|0.3|mL||00^New record"]), "hl7v2", 1, "en")
    add("hl7/b09.hl7", "\r".join([msh("BAR^P01", "2.4"), pid(PT, "77012"), "PV1|1|I|MED2", "DG1|1||I63.9^Enfarte cerebral", "GT1|1||Quintanilha^Deolinda"]), "hl7v2", 1, "pt")
    add(
        "hl7/b10.hl7",
        "\r".join(
            [
                r"FHS|^~\&|TIE|LEEDS|||20240301",
                r"BHS|^~\&|TIE|LEEDS|||20240301",
                msh("DFT^P03", "2.3"),
                pid(EN, "9434765919"),
                "FT1|1|||20240229||CG|99213|Outpatient visit||1",
                "DG1|1||M05.9^Rheumatoid arthritis",
                msh("DFT^P03", "2.3"),
                pid(US, "9434765870"),
                "FT1|1|||20240229||CG|93000|ECG||1",
                msh("DFT^P03", "2.3"),
                pid(CH, "9434761111"),
                "FT1|1|||20240229||CG|73562|Knee X-ray||1",
                "BTS|3",
                "FTS|1",
            ]
        )
        + "\r",
        "hl7v2",
        3,
        "en",
    )
    add(
        "hl7/b11.xml",
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<ns2:ORU_R01 xmlns:ns2="urn:hl7-org:v2xml"><ns2:MSH><ns2:MSH.1>|</ns2:MSH.1>'
        "<ns2:MSH.2>^~\\&amp;</ns2:MSH.2><ns2:MSH.9><ns2:MSG.1>ORU</ns2:MSG.1></ns2:MSH.9></ns2:MSH><ns2:ORU_R01.PATIENT_RESULT>"
        f"<ns2:ORU_R01.PATIENT><ns2:PID><ns2:PID.3><ns2:CX.1>99120</ns2:CX.1></ns2:PID.3><ns2:PID.5><ns2:XPN.1><ns2:FN.1>{e.family}</ns2:FN.1>"
        f"</ns2:XPN.1><ns2:XPN.2>{e.given}</ns2:XPN.2></ns2:PID.5><ns2:PID.7><ns2:TS.1>{e.born}</ns2:TS.1></ns2:PID.7></ns2:PID></ns2:ORU_R01.PATIENT>"
        "<ns2:OBX><ns2:OBX.3><ns2:CE.2>TSH</ns2:CE.2></ns2:OBX.3><ns2:OBX.5>14,2</ns2:OBX.5></ns2:OBX></ns2:ORU_R01.PATIENT_RESULT></ns2:ORU_R01>",
        "hl7v2",
        1,
    )


def harmless() -> None:
    near("hl7/n01.hl7", msh("ACK^R01") + "\rMSA|AE|7731|Segment OBR manquant\rERR|OBR^1^^100\r", "acknowledgement")
    near("hl7/n02.hl7", "\r".join([msh("MFN^M02^MFN_M02"), "MFI|STF^Staff^HL70175||UPD|||NE", "MFE|MAD|||10003412", "STF|10003412||LANVIN^Etienne^^^Dr|P|M|19680412|A|^CARDIO", "PRA|10003412||P", "MFE|MAD|||10003413", "STF|10003413||ROSSIGNOL^Paule^^^Dr|P|F|19750101|A|^RADIO"]), "master file of staff")
    near("hl7/n03.hl7", "\r".join([msh("MFN^M08"), "MFI|OMA||UPD|||NE", "MFE|MAD||20240101|2160-0", "OM1|1|2160-0^Créatinine^LN|NM|Y|||||||||||||||||||||||||||||µmol/L", "MFE|MAD||20240101|718-7", "OM1|2|718-7^Hémoglobine^LN|NM|Y"]), "master file of tests")
    near("hl7/n04.hl7", "FHS|^~\\&|HUB|CH|||20240401\rBHS|^~\\&|HUB|CH\rBTS|0|Aucun message\rFTS|1\r", "empty batch")
    near(
        "hl7/n05.txt",
        """Spécification d'interface ORU : laboratoire vers dossier
=========================================================

PID-3  IPP, type PI, obligatoire          PID-5  nom^prénom, type L
PID-7  date de naissance AAAAMMJJ         PID-8  sexe M/F/U
OBX-3  code LOINC                         OBX-5  valeur ; OBX-8 drapeau H, L, HH, LL

Gabarit de message :

MSH|^~\\&|<emetteur>|<site>|<recepteur>|<site>|<date>||ORU^R01|<id>|P|2.5
PID|1||<IPP>^^^<autorite>^PI||<NOM>^<PRENOM>^^^^^L||<AAAAMMJJ>|<sexe>
OBR|1||<demande>|<examen>
OBX|1|NM|<LOINC>||<valeur>|<unite>|<bornes>|<drapeau>|||F
""",
        "interface specification",
    )
    near(
        "hl7/n06.py",
        "import socket\n\nSEGMENTS = {'PID': 'patient', 'OBX': 'result'}\n\n\ndef parse(raw: bytes) -> dict:\n    out = {}\n"
        "    for line in raw.split(b'\\r'):\n        fields = line.split(b'|')\n        if fields[0] == b'PID':\n"
        "            out['patient'] = fields[5]\n        elif fields[0] == b'OBX':\n            out.setdefault('results', []).append(fields[5])\n    return out\n",
        "code",
        "en",
    )


def write() -> None:
    results()
    movements()
    harmless()
