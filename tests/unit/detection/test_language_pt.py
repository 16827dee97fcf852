"""Portuguese of Portugal and Brazil: short documents of many genres, about invented people, and their look-alikes."""

from __future__ import annotations

from importlib import resources

import pytest

from agent.detection.detector import detect
from agent.detection.lexicon import parse
from agent.document import Document, Format, Part
from agent.findings import Findings, Judgement

MEDICAL = {
    "nota de alta PT": "Hospital Distrital de Monteverde. Serviço de Medicina Interna\nNOTA DE ALTA\nNome: Deolinda "
    "Vasconcelos Fradique. Data de nascimento: 03/05/1941. Processo nº 4471920\nMotivo de internamento: "
    "dispneia e edemas dos membros inferiores com uma semana de evolução.\nEvolução: boa resposta a "
    "diurético endovenoso. Medicada para o domicílio com furosemida 40 mg 1-0-0 e bisoprolol 2,5 mg.",
    "resumo de alta BR": "RESUMO DE ALTA. Paciente: Aparecida Souza Brandão, 62 anos. Internada por pneumonia comunitária. "
    "Fez uso de ceftriaxona 1 g EV 12/12h por 7 dias com melhora. Alta hospitalar com amoxicilina + "
    "clavulanato 875 mg VO 12/12h. Retorno no ambulatório em 15 dias.",
    "SOAP médico de família": "S: lombalgia há 3 dias após esforço, irradia para a nádega direita. Sem febre. O: Lasègue negativo, "
    "contratura paravertebral, força mantida. A: lombalgia mecânica. P: naproxeno 500 mg 12/12h, calor "
    "local, reavaliar se não melhorar.",
    "triagem de Manchester": "Triagem de Manchester, amarelo. Mulher de 34 anos, grávida de 20 semanas, perda de sangue vaginal "
    "desde o fim da tarde. TA 118/70 FC 88 SatO2 99%. Encaminhada para obstetrícia.",
    "anotação de enfermagem": "07h00 Paciente acordado, restrito ao leito, aceitou o café. Realizado curativo em região sacra, "
    "exsudato seroso em pequena quantidade. SVD com débito de 900 ml. Queixou-se de dor, administrada "
    "dipirona 1 g EV conforme prescrição. Segue em observação.",
    "descrição cirúrgica": "DESCRIÇÃO CIRÚRGICA\nDiagnóstico pré-operatório: hérnia inguinal direita. Paciente em decúbito "
    "dorsal sob raquianestesia. Incisão inguinal, dissecção do cordão, redução do saco e colocação de "
    "tela. Hemostasia. Fechamento por planos. Sem intercorrências.",
    "ecografia sem nome": "ECOGRAFIA ABDOMINAL\nFígado de dimensões normais, ecoestrutura homogénea, sem lesões focais. "
    "Vesícula biliar com cálculo único de 8 mm, sem espessamento parietal. Vias biliares não dilatadas. "
    "Rins sem hidronefrose. Sem líquido livre.",
    "anatomia patológica": "Exame anatomopatológico. Material: fragmento de pele do dorso.\nMacroscopia: fuso cutâneo medindo "
    "15 x 8 mm.\nMicroscopia: proliferação melanocítica sem atipias, margens cirúrgicas livres.\n"
    "Conclusão: nevo melanocítico composto.",
    "laboratório": "Laboratório de análises clínicas. Utente: Quaresma Leitão, Eládio   61 anos\nHemoglobina 10,8 g/dl "
    "(13,5-17,5)\nLeucócitos 12,1 x10^9/l\nCreatinina 1,6 mg/dl\nPotássio 5,2 mmol/l\nPCR 48 mg/l",
    "puericultura": "Consulta de puericultura, 4 meses. Peso 6,4 kg (P50), perímetro cefálico 41 cm. Aleitamento materno "
    "exclusivo. Fontanela anterior normotensa, segue com o olhar, sustenta a cabeça. Vacinas em dia. Mãe "
    "refere cólicas ao fim do dia.",
    "psicologia": "Relatório psicológico. A utente, de 27 anos, recorre à consulta por crises de ansiedade e insónia "
    "desde a morte do pai. Humor deprimido, choro fácil, nega ideação suicida. BDI-II 24. Propõe-se "
    "terapia cognitivo-comportamental, 12 sessões.",
    "fisioterapia": "Avaliação fisioterapêutica: ombro direito, capsulite adesiva há 4 meses. Amplitude: flexão 90º, "
    "rotação externa 10º. Dor EVA 6/10. Conduta: mobilização articular, alongamento capsular, exercícios "
    "pendulares. 10 sessões.",
    "atestado": "ATESTADO MÉDICO\nAtesto para os devidos fins que o Sr. Baltazar Nogueira Prates esteve sob meus "
    "cuidados no dia 12/09/2025, necessitando de afastamento de suas atividades por 5 dias. CID S93.4.",
    "mensagem ao especialista": "Boa tarde Dra. Marta. Paciente de 71 anos, DPOC, perdeu 8 kg em dois meses e apresenta hemoptise. "
    "RX com opacidade no lobo superior direito. Consegue encaixar esta semana no ambulatório de "
    "pneumologia? Em uso de tiotrópio e prednisona.",
    "dentista": "Ficha odontológica. Sr. Osvaldo Peçanha Lima, 47 anos. Dente 36: cárie profunda, dor à percussão. "
    "Realizado tratamento endodôntico sob anestesia local com articaína. Próxima consulta para coroa.",
}

ORDINARY = {
    "bula": "BULA DO PACIENTE. Ibuprofeno 600 mg comprimidos. O que devo saber antes de usar este medicamento? "
    "Reações adversas comuns: náusea, vômito, diarreia, cefaleia, tontura. Não tome se tiver úlcera ou "
    "insuficiência cardíaca. Informe seu médico. Ao persistirem os sintomas, o médico deverá ser "
    "consultado. Tomar 1 comprimido a cada 8 horas.",
    "conselhos de saúde": "Gripe: como prevenir. Se tiver sintomas como febre, tosse ou dor de garganta, ligue para a linha "
    "SNS 24. A vacinação é gratuita para maiores de 65 anos e pessoas com asma, diabetes ou "
    "insuficiência renal. Perguntas frequentes. Direção-Geral da Saúde.",
    "artigo": "Colecistectomia laparoscópica no idoso. Palavras-chave: colelitíase, idoso. Material e métodos: "
    "estudo retrospetivo de 214 doentes. Foram incluídos doentes com mais de 80 anos. Infeção da ferida "
    "em 12 casos (intervalo de confiança 95%). Discussão. Referências bibliográficas. Conflito de "
    "interesses: nenhum.",
    "prova de residência": "Prova de residência médica. Questão 14: homem de 60 anos dá entrada no pronto socorro com dor "
    "torácica. Assinale a alternativa correta: a) administrar nitroglicerina b) realizar "
    "eletrocardiograma. Objetivos de aprendizagem: reconhecer o infarto.",
    "receita de cozinha": "Receita: lentilhas da avó. 300 g de lentilhas, 2 cenouras, 1 cebola, azeite. Cozer 40 minutos em "
    "lume brando; para a tia Carminda sem chouriço, que lhe pesa no estômago. Servir com um fio de "
    "azeite.",
    "currículo": "Curriculum vitae. Anabela Cordeiro, nascida em 14/02/1990. Experiência profissional: enfermeira na "
    "unidade de cuidados intensivos e no serviço de urgência do Hospital do Mar. Formação académica: "
    "licenciatura em Enfermagem. Carta de condução.",
    "ata de reunião": "Ata da reunião da comissão de controlo de infeção. Presentes: Dr. Paz, Dra. Leal. Ordem de "
    "trabalhos: 1. taxa de infeção da ferida cirúrgica; 2. procedimento operacional da sépsis. "
    "Decidiu-se rever o consumo de antibióticos.",
    "fatura": "Fatura nº 2025/118. Ortopedia Vilar. Cliente: Clínica Dr. Bento. NIF 500000000. 10 caixas de luvas, "
    "2 tensiómetros, 3 cadeiras de rodas. Valor total 998,76 com IVA incluído. Forma de pagamento: "
    "transferência bancária.",
    "veterinário": "Clínica veterinária Oliveira. Cadela sem raça definida, 7 anos, microchip 9410000. Vómitos e "
    "diarreia há dois dias. Temperatura 39,5. Metronidazol 250 mg de 12 em 12 horas. Desparasitação em "
    "atraso.",
    "conto": "O velho não voltara a fumar desde a guerra. Vivia sozinho, dormia mal e queixava-se do frio. Nessa "
    "noite doeu-lhe o peito, mas não chamou o médico; sentou-se à janela e esperou que passasse o último "
    "comboio.",
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
    content = (resources.files("agent.detection") / "data" / "pt.tsv").read_text("utf-8")
    counted = ("term", "phrase", "letter", "narrative", "drug")
    assert {text for text, group, _, _ in parse(content, "pt") if len(text) < 4 and group in counted} == set()
