"""Folders of a thousand small files to be copied: what people carry about, and the worst that recognition meets.

Nobody is in any of them, so everything may go: what is measured is the hold, not the sealing. No two are alike.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

from tests.invented import docx
from tests.unit.extraction.made_documents import xlsx

_LETTER = (
    "Madame, Monsieur,\n\nJe vous remercie de votre envoi du {number} et vous confirme la commande de {number} chaises "
    "et d'une table pour la salle de réunion. La livraison est prévue dans le courant du mois prochain. "
    "Merci de nous faire parvenir la facture en double exemplaire, avec le bon signé par le livreur.\n\n"
    "Je vous prie d'agréer l'expression de mes salutations distinguées.\n\nLa secrétaire de direction\n"
)
_COURSE = (
    "Cours {number} : l'insuffisance cardiaque. Devant une dyspnée d'effort avec œdèmes des jambes, on demande "
    "un ECG, une radiographie du thorax, un dosage du BNP et une échographie. Le traitement associe furosémide 40 mg, "
    "bisoprolol 5 mg et ramipril ; on surveille la tension artérielle, la créatinine et la kaliémie à 4,2 mmol/L.\n"
)


def ordinary(folder: Path, count: int) -> None:
    """Of ten files five photos, two spreadsheets, two letters, one text; 4 to 30 KB each."""
    makers = [_photo] * 5 + [_sheet] * 2 + [_letter] * 2 + [_text]
    folder.mkdir()
    for number in range(count):
        extension, content = makers[number % 10](number)
        (folder / f"document-{number}.{extension}").write_bytes(content)


def clinical(folder: Path, count: int) -> None:
    """20 KB of a lecture each: every sentence clinical, and nobody's."""
    folder.mkdir()
    for number in range(count):
        lines = "".join(_COURSE.format(number=line) for line in range(number, number + 56))
        (folder / f"cours-{number}.txt").write_text(lines)


def _photo(_number: int) -> tuple[str, bytes]:
    from PIL import Image

    file = io.BytesIO()
    Image.frombytes("RGB", (128, 96), os.urandom(128 * 96 * 3)).save(file, "JPEG", quality=85)
    return "jpg", file.getvalue()


def _sheet(number: int) -> tuple[str, bytes]:
    rows = "".join(
        f'<row><c t="inlineStr"><is><t>Poste {line}</t></is></c><c><v>{number * line}</v></c></row>'
        for line in range(400)
    )
    return "xlsx", xlsx(rows, workbook='<workbook><sheets><sheet name="Budget" sheetId="1"/></sheets></workbook>')


def _letter(number: int) -> tuple[str, bytes]:
    return "docx", docx(_LETTER.format(number=number) * 4)


def _text(number: int) -> tuple[str, bytes]:
    return "txt", (_LETTER.format(number=number) * 10).encode()
