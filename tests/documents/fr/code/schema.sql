CREATE TABLE patient (id SERIAL PRIMARY KEY, nom_naissance VARCHAR(80), nir CHAR(15), date_naissance DATE);
CREATE TABLE diagnostic (id SERIAL, patient_id INT REFERENCES patient(id), code_cim10 VARCHAR(6), libelle TEXT);
INSERT INTO cim10 VALUES ('I10','Hypertension essentielle'),('E11','Diabète de type 2'),('J45','Asthme');
-- TODO anonymiser avant recette