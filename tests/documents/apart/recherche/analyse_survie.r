# survie sepsis - MVD 2024-03
library(survival); library(dplyr); library(gtsummary)
d <- read.csv2("COHORTE_SEPSIS_v7_final2.csv", dec = ",")
d <- d |> filter(!is.na(SOFA_J0)) |>
  mutate(sexe = factor(sexe, c("M","F")),
         age10 = age/10,
         foyer = relevel(factor(foyer), "pulm"),
         choc = norad_max > 0.25)
# patients avec dt deces < dt inclusion -> exclus (3), cf mail ARC 12/02
m1 <- glm(deces_J28 ~ age10 + SOFA_J0 + log(lactate_J0) + foyer, binomial, d)
tbl_regression(m1, exponentiate = TRUE)
#  age10 OR 1.31 [1.12-1.55] p<.001 ; SOFA 1.22 ; lactate 1.9
km <- survfit(Surv(DMS_rea, deces_J28) ~ choc, d)
plot(km, col = 2:3); legend("bottomleft", c("non choc","choc"), col=2:3, lty=1)
# TODO: imputation lactate (mice, m=20), sensibilité sans centre 03
# reviewer 2 veut le E-value...
