CREATE TABLE patients (id int, nom varchar(50), prenom varchar(50), ddn date, atcd text);
INSERT INTO ccam VALUES ('JQGA002','Césarienne'),('HFFC018','Appendicectomie'),('DEQP003','ECG');
