import pytest
from hl7lib import parse

FIXTURE = "MSH|^~\\&|A|B|C|D|20200101||ADT^A01|1|T|2.5\rPID|1||TEST123||TESTPATIENT^ZZZ||19000101|U\rDG1|1||I10"

@pytest.mark.parametrize("field,exp", [("PID-5.1", "TESTPATIENT"), ("PID-7", "19000101"), ("DG1-3", "I10")])
def test_fields(field, exp):
    assert parse(FIXTURE)[field] == exp

def test_missing_pid_raises():
    with pytest.raises(ValueError):
        parse("MSH|^~\\&|")
