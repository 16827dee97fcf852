"""Spanish of Spain and Latin America: short documents of many genres, about invented people, and their look-alikes."""

from __future__ import annotations

from importlib import resources

import pytest

from agent.detection.detector import detect
from agent.detection.lexicon import parse
from agent.document import Document, Format, Part
from agent.findings import Findings, Judgement

MEDICAL = {
    "alta de medicina interna": "Hospital Comarcal de Valdenubla. Servicio de Medicina Interna\nINFORME DE ALTA\nPaciente: Rosaura "
    "Mantecón Lillo. F. nacimiento: 03/05/1941\nMotivo de ingreso: disnea.\nEnfermedad actual: mujer de "
    "83 años que consulta por aumento de su disnea habitual y edemas en las piernas desde hace una "
    "semana.\nEvolución: buena respuesta a diuréticos intravenosos. Al alta, furosemida 40 mg 1-0-0.",
    "atención primaria": "Var. 58 a. Lumbalgia de 3 días tras coger peso, irradiada a glúteo dcho. No fiebre ni pérdida de "
    "fuerza. EF: contractura paravertebral, Lasègue neg. Plan: calor local, dexketoprofeno 25 mg/8 h 5 "
    "días, volver si empeora.",
    "triaje de urgencias": "Triaje 22:14 Nivel III. Mujer 34 a, embarazada de 20 semanas, sangrado vaginal escaso desde esta "
    "tarde. TA 118/70 FC 88 SatO2 99 %. No alergias. Pasa a ginecología.",
    "turno de enfermería": "Turno de noche hab 214: ha dormido a ratos, afebril. Cura de úlcera sacra, exudado escaso, apósito "
    "hidrocelular. Diuresis por sonda 900 cc. Precisó paracetamol iv a las 3 h por dolor. Cambios "
    "posturales cada 4 h.",
    "protocolo quirúrgico": "HOJA QUIRÚRGICA\nDiagnóstico preoperatorio: hernia inguinal derecha.\nIntervención: hernioplastia. "
    "Bajo anestesia raquídea y en decúbito supino, incisión inguinal, disección del cordón, reducción "
    "del saco y colocación de malla. Hemostasia. Cierre por planos. Sin incidencias.",
    "ecografía sin nombre": "ECOGRAFÍA ABDOMINAL\nHígado de tamaño normal, ecoestructura homogénea, sin lesiones focales. "
    "Vesícula con litiasis única de 8 mm, sin engrosamiento de la pared. Vía biliar no dilatada. Riñones "
    "sin hidronefrosis.\nConclusión: colelitiasis.",
    "anatomía patológica": "Informe de anatomía patológica. Muestra: biopsia cutánea de espalda.\nDescripción macroscópica: "
    "huso cutáneo de 15 x 8 mm.\nDescripción microscópica: proliferación melanocítica sin atipia, bordes "
    "de resección libres.\nDiagnóstico: nevus melanocítico compuesto.",
    "laboratorio": "LABORATORIO CLÍNICO. Paciente: Quiñonero Bas, Eladio   Edad: 61 años\nHemoglobina 10,8 g/dl "
    "(13,5-17,5)\nLeucocitos 12,1 x10^9/l\nCreatinina 1,6 mg/dl\nPotasio 5,2 mmol/l\nPCR 48 mg/l",
    "matrona": "Visita puerperal día 5. Útero contraído, loquios normales, puntos de episiotomía bien. Grieta en "
    "pezón izquierdo, se corrige el agarre. RN 3240 g, ictericia leve, cordón seco. Lactancia materna "
    "exclusiva.",
    "psicología": "Informe psicológico. La paciente, de 27 años, acude por crisis de ansiedad e insomnio desde el "
    "fallecimiento de su padre. Ánimo bajo, llanto frecuente, sin ideación suicida. BDI-II 24. Impresión "
    "diagnóstica: trastorno adaptativo. Se propone terapia cognitivo conductual, 12 sesiones.",
    "fisioterapia": "Valoración de fisioterapia: hombro dcho. congelado, 4 meses de evolución. Balance articular: "
    "flexión 90º, rotación externa 10º. EVA 6/10. Tto: movilizaciones, estiramientos capsulares, "
    "ejercicios pendulares. 10 sesiones.",
    "odontología": "Ficha dental. Sr. Baldomero Ruiz Tejada, 47 años. Pieza 36: caries profunda, dolor a la percusión. "
    "Se realiza endodoncia bajo anestesia local con articaína. Próxima cita para corona.",
    "parte de baja": "Parte médico de baja por incapacidad temporal. Trabajadora: Hortensia Quiroga Lamas, nacida el "
    "12/09/1983. Diagnóstico: esguince de tobillo (S93.4). Duración estimada: 15 días. Contingencia: "
    "accidente no laboral.",
    "mensaje entre médicos": "Hola Nuria, te comento un paciente mío, 71 años, EPOC, con pérdida de 8 kg en dos meses y "
    "hemoptisis. En la placa hay una masa en LSD. ¿Podrías verlo esta semana en neumología? Está con "
    "tiotropio y prednisona. Gracias",
    "nota mexicana": "NOTA DE EVOLUCIÓN. Paciente femenino de 45 años con diagnóstico de colecistitis aguda litiásica, en "
    "su primer día postoperatorio. Refiere dolor leve en herida, canalizando gases. Signos vitales: TA "
    "120/80, FC 76, Temp 36.6. Abdomen blando, herida quirúrgica limpia. Plan: iniciar dieta blanda, "
    "ceftriaxona 1 g IV cada 12 horas.",
}

ORDINARY = {
    "prospecto": "PROSPECTO: INFORMACIÓN PARA EL USUARIO. Ibuprofeno 600 mg comprimidos. Lea todo el prospecto "
    "detenidamente antes de empezar a tomar este medicamento. Posibles efectos adversos: náuseas, "
    "vómitos, diarrea, cefalea, mareo. No tome este medicamento si tiene úlcera de estómago o "
    "insuficiencia cardiaca. Conserve este prospecto. La dosis es de 1 comprimido cada 8 horas.",
    "consejos de salud": "Cómo prevenir la gripe. Si tiene síntomas como fiebre, tos o dolor de garganta, consulte a su "
    "médico. Lávese las manos. La vacunación está indicada en mayores de 65 años y en personas con asma, "
    "diabetes o insuficiencia renal. Preguntas frecuentes. Ministerio de Sanidad.",
    "artículo": "Resultados de la colecistectomía laparoscópica en ancianos. Palabras clave: colelitiasis, anciano. "
    "Material y métodos: estudio retrospectivo de 214 pacientes. Se incluyeron pacientes mayores de 80 "
    "años. Hubo 12 infecciones de la herida (intervalo de confianza 95 %). Discusión. Bibliografía. "
    "Conflicto de intereses: ninguno.",
    "examen de enfermería": "Asignatura: Enfermería clínica. Preguntas tipo test. 1. Un varón de 60 años acude a urgencias con "
    "dolor torácico. Señale la respuesta correcta: a) administrar nitroglicerina b) realizar un "
    "electrocardiograma. Objetivos de aprendizaje: los estudiantes de enfermería reconocerán el infarto.",
    "receta de cocina": "Receta: lentejas de la abuela. 300 g de lentejas, 2 zanahorias, 1 cebolla, aceite. Cocer 40 minutos "
    "a fuego lento; para la tía Carmen, sin chorizo porque le sienta mal al estómago. Servir con un "
    "chorrito de vinagre.",
    "currículum": "Currículum vitae. Ana Belén Cordero, nacida el 14/02/1990. Experiencia profesional: enfermera en la "
    "unidad de cuidados intensivos y en urgencias del Hospital del Mar Chico. Formación académica: Grado "
    "en Enfermería. Idiomas: inglés.",
    "acta de reunión": "Acta de la reunión de la comisión de infecciones. Asistentes: Dr. Paz, Dra. Leal. Orden del día: 1. "
    "Tasa de infección de herida quirúrgica. 2. Protocolo de actuación ante la sepsis. Se acuerda "
    "revisar el consumo de antibióticos. Ruegos y preguntas: ninguno.",
    "factura": "Factura nº 2025/118. Ortopedia Villalar. Cliente: Clínica Dr. Benítez. 10 cajas de guantes, 2 "
    "tensiómetros, 3 sillas de ruedas. Base imponible 812,00. IVA 21 %. Total a pagar 982,52. Forma de "
    "pago: transferencia bancaria.",
    "veterinario": "Clínica veterinaria El Olivo. Perra mestiza, 7 años, microchip 9410000. Acude por vómitos y "
    "diarrea. Temperatura 39,5. Se pauta metronidazol 250 mg cada 12 horas. Desparasitación pendiente.",
    "relato": "El viejo no había vuelto a fumar desde la guerra. Vivía solo, dormía mal y se quejaba del frío. "
    "Aquella noche le dolió el pecho, pero no llamó al médico; se sentó junto a la ventana y esperó a "
    "que pasara el último tren.",
}


def judged(text: str) -> Findings:
    return detect(Document(Format.TEXT, parts=[Part(text)]))


@pytest.mark.parametrize("name", MEDICAL)
def test_a_document_about_one_patient_is_medical(name: str) -> None:
    assert judged(MEDICAL[name]).judgement is Judgement.MEDICAL


@pytest.mark.parametrize("name", ORDINARY)
def test_what_only_speaks_the_language_of_medicine_is_not(name: str) -> None:
    assert judged(ORDINARY[name]).judgement is Judgement.NOT_MEDICAL


def test_no_word_of_three_letters_counts_by_itself() -> None:
    """Short words collide across languages: only with a figure beside them (vital, analyte) do they say anything."""
    content = (resources.files("agent.detection") / "data" / "es.tsv").read_text("utf-8")
    counted = ("term", "phrase", "letter", "narrative", "drug")
    assert {text for text, group, _, _ in parse(content, "es") if len(text) < 4 and group in counted} == set()
