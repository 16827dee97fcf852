import socket

SEGMENTS = {'PID': 'patient', 'OBX': 'result'}


def parse(raw: bytes) -> dict:
    out = {}
    for line in raw.split(b'\r'):
        fields = line.split(b'|')
        if fields[0] == b'PID':
            out['patient'] = fields[5]
        elif fields[0] == b'OBX':
            out.setdefault('results', []).append(fields[5])
    return out
