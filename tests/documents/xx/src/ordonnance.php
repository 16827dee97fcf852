<?php
// impression ordonnance bizone (ALD)
function imprimer(Patient $p, array $lignes, Medecin $m): string {
    $out = sprintf("Dr %s – RPPS %s\n%s %s né(e) le %s\n", $m->nom, $m->rpps, $p->prenom, $p->nom, $p->dateNaissance->format('d/m/Y'));
    foreach ($lignes as $l) {
        $out .= ($l->ald ? "[ALD] " : "") . "{$l->specialite} {$l->posologie}, QSP {$l->duree} jours\n";
    }
    return $out . "Antécédents et allergies : voir dossier\n";
}
