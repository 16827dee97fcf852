CREATE OR REPLACE PROCEDURE rpt_readmit(p_from DATE, p_to DATE) AS
BEGIN
  INSERT INTO readmit_stat
  SELECT a.ward, COUNT(*) n, AVG(b.admit_dt - a.disch_dt) gap
  FROM admissions a JOIN admissions b ON a.patient_id=b.patient_id AND b.admit_dt BETWEEN a.disch_dt AND a.disch_dt+30
  WHERE a.prim_dx LIKE 'I50%' AND a.disch_dt BETWEEN p_from AND p_to
  GROUP BY a.ward;
END;
/
