namespace Pharma.Rules;
public static class Dosage {
    // Cockcroft-Gault
    public static double CrCl(int age, double kg, double creat, bool female) => (140 - age) * kg * (female ? 1.04 : 1.23) / creat;
    public static string Apixaban(Patient p) {
        int k = (p.Age >= 80 ? 1 : 0) + (p.WeightKg <= 60 ? 1 : 0) + (p.Creatinine >= 133 ? 1 : 0);
        return k >= 2 ? "2.5 mg bd" : "5 mg bd";
    }
}
