import { html } from './ui.js';
const LABELS = { ward: 'Ward', dx: 'Diagnosis', allergies: 'Allergies', nok: 'Next of kin' };
export async function renderAdmissions(el, api) {
  const rows = await api.get('/admissions?state=active');
  el.innerHTML = rows.map(r => `<tr><td>${r.patient.surname}, ${r.patient.given}</td><td>${r.patient.dob}</td><td>${r.dx}</td></tr>`).join('');
  if (!rows.length) el.innerHTML = '<em>No patients on this ward</em>';
}
