# -*- coding: utf-8 -*-
import pytest
from app.models import Patient, Consultation

@pytest.fixture
def patient():
    return Patient(nom="TEST", prenom="Alpha", nir="185057800604830", naissance="1985-05-20")

def test_age(patient):
    c = Consultation(patient=patient, date="2024-01-02", motif="HTA", ta="14/8")
    assert c.age_patient() == 38

def test_ordonnance_vide(patient):
    with pytest.raises(ValueError, match="ordonnance"):
        patient.prescrire([])