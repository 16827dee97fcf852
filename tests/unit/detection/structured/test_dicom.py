"""DICOM fields: identity, de-identification believed only when it is true, animals, devices, directories."""

import io

import pytest

from agent.detection.structured import Recognised, recognise
from agent.document import Document, Format
from agent.findings import FindingType, Kind

CT = "1.2.840.10008.5.1.4.1.1.2"
BASE = {"0002,0002": CT, "0010,0010": "RAMBERT^Odile", "0010,0020": "4711", "0010,0030": "19790312", "0008,0060": "CT"}


def judged(**changes: str) -> Recognised:
    fields = {**BASE, **{key.replace("_", ","): value for key, value in changes.items()}}
    result = recognise(Document(Format.DICOM, fields={key.removeprefix("t"): value for key, value in fields.items()}))
    assert result is not None
    return result


def test_a_study_names_its_patient():
    result = judged()
    assert (result.kind, result.patient_data, result.identified, result.deidentified) == (Kind.DICOM, True, True, False)
    assert result.persons == {"RAMBERT|ODILE|19790312"}


def test_names_in_several_scripts_and_lower_case_tags():
    assert judged(**{"0010,0010": "Rambert^Odile=蘭^織="}).persons == {"RAMBERT|ODILE|19790312"}
    result = recognise(Document(Format.DICOM, fields={"0010,0010": "Rambert^Odile", "0008,103e": "x"}))
    assert result is not None
    assert result.identified


@pytest.mark.parametrize("name", ["", "ANONYMOUS", "Anon^Anon", "^", "XXXXX", "d41d8cd98f00b204e9800998ecf8427e"])
def test_without_a_name_it_is_still_data_of_a_patient(name):
    result = judged(**{"0010,0010": name, "0010,0020": "", "0012,0062": "YES", "0010,0030": ""})
    assert (result.patient_data, result.identified, result.deidentified) == (True, False, True)


@pytest.mark.parametrize(
    "change",
    [{"0010,0010": "RAMBERT^Odile"}, {"0010,0030": "19790312"}, {"0028,0301": "YES"}, {"0012,0062": "NO"}],
)
def test_a_claim_of_deidentification_is_checked(change):
    claim = {"0010,0010": "", "0010,0030": "", "0010,0020": "4711", "0012,0062": "YES"}
    assert judged(**claim).deidentified
    assert not judged(**{**claim, **change}).deidentified


def test_a_hospital_number_alone_identifies():
    assert judged(**{"0010,0010": ""}).identified
    assert not judged(**{"0010,0010": "ANONYMOUS"}).identified  # a pseudonym goes with such a name


def test_animals_and_human_species():
    assert judged(**{"0010,2201": "Canine"}).patient_data is False
    assert {item.type for item in judged(**{"0010,2292": "Beagle"}).items} == {FindingType.VETERINARY}
    assert judged(**{"0010,2201": "Homo sapiens"}).patient_data


def test_phantoms_are_test_data():
    assert judged(**{"0010,0010": "PHANTOM^ACR"}).test_data
    assert not judged().test_data


def test_waveforms_directories_and_things_that_are_no_patient():
    assert judged(**{"0002,0002": "1.2.840.10008.5.1.4.1.1.9.1.1"}).kind is Kind.ECG
    assert judged(**{"0002,0002": "1.2.840.10008.5.1.4.1.1.9.7.1"}).kind is Kind.EEG
    assert judged(**{"0002,0002": "1.2.840.10008.5.1.4.38.1", "0010,0010": ""}).patient_data is False
    directory = judged(
        **{
            "0002,0002": "1.2.840.10008.1.3.10",
            "0010,0010": "RAMBERT^Odile\\VASSEUR^Jean",
            "0010,0020": "1\\2",
            "0010,0030": "",
        }
    )
    assert len(directory.persons) == 2


def test_fields_read_by_the_library(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CT, ExplicitVRLittleEndian
    data = FileDataset(str(tmp_path / "x"), {}, file_meta=meta, preamble=b"\0" * 128)
    data.PatientName, data.PatientID, data.SOPClassUID = "Rambert^Odile", "4711", CT
    file = io.BytesIO()
    data.save_as(file, enforce_file_format=False)
    file.seek(0)
    read = pydicom.dcmread(file, stop_before_pixels=True, force=True)
    fields = {f"{e.tag.group:04x},{e.tag.element:04x}": str(e.value) for e in read}
    result = recognise(Document(Format.DICOM, fields=fields))
    assert result is not None
    assert result.persons == {"RAMBERT|ODILE|"}


def test_no_fields_at_all():
    result = recognise(Document(Format.DICOM))
    assert result is not None
    assert (result.patient_data, result.identified) == (True, False)


@pytest.mark.parametrize("name", ["Test IRM", "Phantom Daily QA", "Fantome^Eau", "Qualite^Controle", "QC^QC"])
def test_what_technicians_write_for_a_thing(name):
    assert judged(**{"0010,0010": name}).test_data


@pytest.mark.parametrize("name", ["TESTARD^Jean", "CONTROLLI^Anna", "ESSAI^Paule", "QUALITE^Marie"])
def test_a_name_that_looks_like_a_test_is_a_name(name):
    assert not judged(**{"0010,0010": name}).test_data


@pytest.mark.parametrize("name", ["Patient^Anonyme", "ANON PATIENT", "Nom^Prenom"])
def test_words_that_name_nobody(name):
    assert not judged(**{"0010,0010": name}).identified


def test_a_trials_subject_is_a_code():
    subject = {"0010,0010": "SITE01-0003", "0010,0020": "SITE01-0003", "0010,0030": "", "0012,0010": "Sponsor"}
    assert (judged(**subject).identified, judged(**subject).deidentified) == (False, True)
    for change in ({"0010,0010": "Rambert^Odile"}, {"0010,0030": "19790312"}, {"0028,0301": "YES"}, {"0012,0010": ""}):
        assert judged(**{**subject, **change}).identified


def test_the_records_of_a_directory_are_persons():
    rows = [("RAMBERT^Odile", "1", "19790312"), ("VASSEUR^Jean", "", ""), ("RAMBERT^Odile", "1", "19790312")]
    result = recognise(Document(Format.DICOM, fields={"0002,0002": "1.2.840.10008.1.3.10"}, tables=[rows]))
    assert result is not None
    assert result.persons == {"RAMBERT|ODILE|19790312", "VASSEUR|JEAN|"}
