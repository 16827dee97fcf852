Profile: CabinetPatient
Parent: Patient
Description: "Patient du cabinet"
* name 1..*
* birthDate 1..1
* identifier contains INS 0..1
