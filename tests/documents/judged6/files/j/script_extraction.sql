-- Extraction pour l'audit IPP (cabinet pilote). Ne sort AUCUN nom : seulement des agrégats.
-- Base LogiCab (Firebird 3). À lancer en lecture seule.

SET TERM ^ ;
EXECUTE BLOCK AS BEGIN
  IF (CURRENT_USER <> 'AUDIT_RO') THEN EXCEPTION E_DROITS;
END^
SET TERM ; ^

WITH ipp AS (
    SELECT l.ID_PATIENT, l.CODE_ATC, MIN(o.DATE_ORDO) AS debut, COUNT(*) AS nb
    FROM LIGNE_ORDO l
    JOIN ORDONNANCE o ON o.ID = l.ID_ORDO
    WHERE l.CODE_ATC STARTING WITH 'A02BC'
      AND o.DATE_ORDO BETWEEN DATE '2023-01-01' AND DATE '2023-12-31'
    GROUP BY l.ID_PATIENT, l.CODE_ATC
    HAVING COUNT(*) >= 3
),
age AS (
    SELECT p.ID, p.SEXE, DATEDIFF(YEAR FROM p.DATE_NAISSANCE TO DATE '2023-12-31') AS annees
    FROM PATIENT p
    WHERE p.DECEDE = 0
)
SELECT
    a.SEXE,
    CASE WHEN a.annees < 80 THEN '75-79' WHEN a.annees < 85 THEN '80-84' ELSE '85+' END AS tranche,
    i.CODE_ATC,
    COUNT(*) AS effectif,
    AVG(i.nb) AS delivrances,
    SUM(IIF(EXISTS (SELECT 1 FROM ANTECEDENT t WHERE t.ID_PATIENT = a.ID AND t.CIM10 STARTING WITH 'K21'), 1, 0)) AS avec_rgo
FROM ipp i
JOIN age a ON a.ID = i.ID_PATIENT
WHERE a.annees >= 75
GROUP BY 1, 2, 3
HAVING COUNT(*) >= 5          -- secret statistique : pas de case de moins de 5
ORDER BY 1, 2, 3;
