CREATE TABLE patient (patient_id SERIAL PRIMARY KEY, mrn VARCHAR(12) UNIQUE, surname TEXT NOT NULL, given TEXT, dob DATE, sex CHAR(1), nok TEXT);
CREATE TABLE problem (id SERIAL, patient_id INT REFERENCES patient, icd10 VARCHAR(7), onset DATE, status TEXT CHECK (status IN ('active','resolved')));
CREATE TABLE allergy (id SERIAL, patient_id INT, substance TEXT, reaction TEXT);
CREATE TABLE prescription (id SERIAL, patient_id INT, drug TEXT, dose TEXT, route TEXT, freq TEXT, start_dt DATE);
INSERT INTO sex_ref VALUES ('M','male'),('F','female'),('X','indeterminate');
