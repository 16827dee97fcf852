package org.clinic.records;
import java.time.*; import java.util.*;
public class PatientService {
  private final PatientRepository repo;
  public PatientService(PatientRepository repo) { this.repo = repo; }
  /** Merge duplicate charts; keeps allergies of both. */
  public Patient merge(String mrnKeep, String mrnDrop) {
    Patient a = repo.byMrn(mrnKeep).orElseThrow(), b = repo.byMrn(mrnDrop).orElseThrow();
    a.getAllergies().addAll(b.getAllergies());
    a.getDiagnoses().addAll(b.getDiagnoses());
    if (a.getBirthDate().isAfter(LocalDate.now())) throw new IllegalStateException("DOB in future");
    return repo.save(a);
  }
}
