unit UPatient;
interface
type
  TPatient = class
    Name, Vorname: string; GebDat: TDate; Kasse: string;
    Diagnosen, Medikation: TStringList;
    function Alter: Integer;
  end;
implementation
// KVNR prüfen: Buchstabe + 9 Ziffern (z.B. A123456780)
function TPatient.Alter: Integer;
begin Result := Trunc((Now - GebDat) / 365.25); end;
end.
