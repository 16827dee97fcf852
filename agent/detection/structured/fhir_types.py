"""The resource types of FHIR (DSTU1 to R5), sorted by whether they speak of a patient.

Source: the resource lists of hl7.org/fhir for these versions and their compartment definition for Patient.
"""

from __future__ import annotations

PEOPLE = frozenset({"Patient", "RelatedPerson", "Person"})

_CLINICAL = """
    Account AdverseEvent Alert AllergyIntolerance Appointment AppointmentResponse
    BiologicallyDerivedProductDispense BodySite BodyStructure CarePlan CareTeam ChargeItem Claim
    ClaimResponse ClinicalImpression Communication CommunicationRequest Composition Condition
    Consent Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue
    DeviceAssociation DeviceDispense DeviceRequest DeviceUsage DeviceUseRequest DeviceUseStatement
    DiagnosticOrder DiagnosticReport
    DocumentManifest DocumentReference EligibilityRequest EligibilityResponse Encounter
    EncounterHistory EnrollmentRequest EnrollmentResponse EpisodeOfCare ExplanationOfBenefit
    FamilyMemberHistory Flag GenomicStudy Goal GuidanceResponse ImagingManifest ImagingObjectSelection ImagingSelection
    ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation Invoice Media
    MedicationAdministration MedicationDispense MedicationOrder MedicationPrescription MedicationRequest
    MedicationStatement
    MedicationUsage MolecularSequence NutritionIntake NutritionOrder Observation Order OrderResponse Procedure
    ProcedureRequest QuestionnaireResponse ReferralRequest RequestGroup RequestOrchestration
    ResearchSubject RiskAssessment Sequence ServiceRequest Specimen SupplyDelivery SupplyRequest
    Task Transport VisionPrescription
"""
CLINICAL = frozenset(_CLINICAL.split())

_ADMINISTRATIVE = """
    AuditEvent Basic Binary BiologicallyDerivedProduct Device DeviceComponent DeviceMetric Endpoint
    FormularyItem Group HealthcareService InsurancePlan InventoryItem InventoryReport Linkage List
    Location Medication MedicationKnowledge MessageHeader NutritionProduct Organization
    OrganizationAffiliation Parameters PaymentNotice PaymentReconciliation Permission Practitioner
    PractitionerRole ProcessRequest ProcessResponse Provenance Schedule Slot Subscription
    SubscriptionStatus Substance VerificationResult Contract
"""
ADMINISTRATIVE = frozenset(_ADMINISTRATIVE.split())

_DEFINITIONS = """
    ActivityDefinition ActorDefinition AdministrableProductDefinition ArtifactAssessment
    CapabilityStatement CatalogEntry ChargeItemDefinition Citation ClinicalUseDefinition CodeSystem
    CompartmentDefinition ConceptMap ConditionDefinition Conformance DataElement DeviceDefinition
    EffectEvidenceSynthesis EventDefinition Evidence EvidenceReport EvidenceVariable ExampleScenario
    ExpansionProfile GraphDefinition ImplementationGuide Ingredient Library
    ManufacturedItemDefinition Measure MeasureReport MedicinalProduct MedicinalProductDefinition
    MessageDefinition NamingSystem ObservationDefinition OperationDefinition OperationOutcome
    PackagedProductDefinition PlanDefinition Questionnaire RegulatedAuthorization Requirements
    ResearchDefinition ResearchElementDefinition ResearchStudy RiskEvidenceSynthesis SearchParameter
    ServiceDefinition SpecimenDefinition StructureDefinition StructureMap SubscriptionTopic
    SubstanceDefinition SubstanceNucleicAcid SubstancePolymer SubstanceProtein
    SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification
    TerminologyCapabilities TestPlan TestReport TestScript ValueSet
"""
DEFINITIONS = frozenset(_DEFINITIONS.split())

ALL = PEOPLE | CLINICAL | ADMINISTRATIVE | DEFINITIONS | {"Bundle"}
