package theme

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the test data")

// part is one thing that people write about: why, in what mood, and how many
// of the comments are about it. Sentences are whole ones, inflected as people
// do; of each comment one is drawn, and perhaps an opener before and a closer
// after it.
type part struct {
	mood      Mood
	share     int // comments of it
	late      int // percent of them that are of the later half
	sentences []string
}

type corpus struct {
	openers []string
	closers map[Mood][]string
	parts   []part
}

var corpora = map[string]corpus{
	"fi": {
		openers: []string{
			"Hei!", "Moi,", "Olen ollut teidän asiakas vuosia.", "Tilasin ensimmäistä kertaa.", "Ostin lahjaksi.", "Palautetta:", "No niin.", "Tilasin kengät.",
			"Ostin takin tyttärelle.", "Kolmas tilaus tänä vuonna.", "Tilasin ennen joulua.", "Kävin sivuilla puhelimella.", "Yritin tilata sohvan.", "Terveisiä Oulusta.",
		},
		closers: map[Mood][]string{
			Unhappy: {
				"Ei näin.", "Toivottavasti parannatte.", "En tilaa enää.", "Harmittaa.", "Muuten ok.", "😡", "Voisitteko korjata tämän?", "Mietin vaihtoa kilpailijalle.",
				"Kerron tästä naapurillekin.", "Olisin odottanut muuta.", "Siinä kaikki.",
			},
			Middle: {"Siinä kaikki.", "Kiitos."},
			Happy:  {"Kiitos!", "🙂", "Tilaan toistekin.", "Kerron tästä naapurillekin.", "Jatkakaa samaan malliin.", "Ei moitittavaa."},
		},
		parts: []part{
			{Unhappy, 38, 55, []string{
				"Toimitus kesti kolme viikkoa.", "Toimituksen piti tulla perjantaina, mutta se tuli vasta maanantaina.", "Toimituksessa oli viikon viive.", "Toimitusta sai odottaa aivan liian kauan.",
				"Toimitukset myöhästyvät joka kerta.", "Toimituksesta ei kuulunut mitään ennen kuin soitin.", "Toimitusaika oli luvattu kaksi päivää, toimitus kesti kymmenen.", "Miksi toimitus seisoi Vantaalla viikon?",
				"Pitkä toimitusaika.", "Paketin toimitus viivästyi kahdesti eikä siitä ilmoitettu.", "Toimituksen seuranta näytti väärää päivää.", "Kuljetusliike hukkasi paketin ja toimitus alkoi alusta.",
				"Luvattu toimitus samana päivänä ei pitänyt.", "Myöhästyneestä toimituksesta ei hyvitetty mitään.",
			}},
			{Unhappy, 34, 50, []string{
				"Asiakaspalveluun jonotus kesti 45 minuuttia.", "Jonotin puhelimessa tunnin, jonotuksen jälkeen linja katkesi.", "Jonotus asiakaspalveluun on ikuisuus.", "Jonotuksessa ei kerrota paikkaa jonossa.",
				"Chatissa sama jonotus kuin puhelimessa.", "Jonotusta liikaa, kukaan ei vastaa.", "Asiakaspalvelun jonotus ja lopulta väärä osasto.", "Puhelinpalvelun jonotus maksaa eikä takaisinsoittoa ole.",
				"Turhauttava jonotus, soitin neljä kertaa.", "Jonotuksen musiikki soi vieläkin päässä.", "Asiakaspalvelu ei vastaa, pelkkää jonotusta.", "Aamulla jonotus 20 minuuttia, iltapäivällä sama.",
			}},
			{Unhappy, 36, 95, []string{
				"Hinta nousi kolmanneksen.", "Hinnan korotus tuli ilman ilmoitusta.", "Hinnat ovat karanneet käsistä.", "Hintaa nostettiin toisen kerran samana vuonna.", "Hinnassa ei ole mitään järkeä.",
				"Hintojen nousu oli viimeinen pisara.", "Korotus on kohtuuton, hinta ei vastaa laatua.", "Miten hinta voi nousta noin paljon?", "Kilpailijan hinta on puolet tästä.", "Hinnat nousivat ja laatu laski.",
				"Jäsenmaksun korotus ja silti hinta sama kuin muilla.", "Hintaan lisättiin toimistokulut.", "Uusi hinta yllätti laskulla.",
			}},
			{Unhappy, 34, 70, []string{
				"Verkkokaupan kassa kaatui maksun kohdalla.", "Maksu ei mennyt läpi verkkokaupassa.", "Maksu veloitettiin kahteen kertaan.", "Kassalla maksu jäi pyörimään.", "Maksun vahvistus ei tullut pankista takaisin.",
				"Korttimaksu hylättiin kassalla kolmesti.", "Maksua ei voinut tehdä mobiilissa.", "Kassa unohti ostoskorin, kun maksu epäonnistui.", "Maksuja ei voi jakaa osiin.", "Maksun jälkeen kassa näytti virhettä.",
				"Laskulla maksu ei onnistunut uudessa kassassa.", "Maksussa tuli virheilmoitus ja rahat lähtivät.",
			}},
			{Unhappy, 32, 50, []string{
				"Palautus oli tehty hankalaksi.", "Palautuksen hyvitystä odotin kuukauden.", "Palautuksesta peritään yhdeksän euroa.", "Palautusta ei hyväksytty ilman alkuperäistä laatikkoa.", "Palautukset pitäisi saada lähimpään pisteeseen.",
				"Palautus katosi matkalla ja rahat myös.", "Palautuksessa piti tulostaa lappu, kenellä on tulostin?", "Palautuksen ohjeet puuttuivat.", "Ilmainen palautus olikin maksullinen.", "Palautusten käsittely on hidasta.",
				"Kuudes viikko palautuksesta eikä hyvitystä näy.",
			}},
			{Unhappy, 26, 50, []string{
				"Koko oli väärä.", "Väri ei ollut sama kuin kuvassa.", "Sivut ovat sekavat.", "Vetoketju hajosi viikossa.", "Sain väärän mallin.", "Uutiskirjeitä tulee joka päivä, vaikka kielsin.", "Haku ei löydä mitään.",
				"Sohvan jalka oli poikki.", "Myyjä oli töykeä.", "Takuuasia on edelleen kesken.",
			}},
			{Happy, 150, 50, []string{
				"Kaikki sujui helposti.", "Nopea ja vaivaton.", "Valikoima on laaja ja kuvat selkeät.", "Myyjä oli ystävällinen ja asiantunteva.", "Ystävällinen palvelu, sain neuvoja koon valintaan.", "Kengät istuvat täydellisesti.",
				"Helppo tilata ja nopea saada.", "Laatu yllätti iloisesti.", "Laadukkaita tuotteita.", "Pakkaus oli siisti ja muoviton.", "Asiantunteva henkilökunta.", "Selkeät sivut ja laaja valikoima.",
				"Tuote vastasi kuvausta.", "Tilaaminen oli helppoa, suosittelen.", "Suosittelen kaikille ystäville.", "Nopea toimitus ja siisti paketti.", "Hinta ja laatu kohdallaan.", "Asiakaspalvelu hoiti asian viidessä minuutissa.",
				"Takki on lämmin ja kaunis.", "Neuvot olivat ystävällisiä.", "Valikoimasta löytyi kerralla sopiva.", "Sohva on mukava istua.", "Helppokäyttöiset sivut.", "Lapset rakastavat uutta sänkyä.", "Luotettava kauppa jo kymmenen vuotta.",
			}},
			{Middle, 40, 50, []string{
				"Ihan ok.", "Toimitus oli tavallinen.", "Ei valittamista, ei kehumista.", "Hinta keskitasoa.", "Valikoima voisi olla laajempi.", "Palautusta en ole kokeillut.", "Sivut toimivat.", "Maksu onnistui toisella yrittämällä.",
			}},
		},
	},
	"sv": {
		openers: []string{"Hej!", "Jag har handlat här i åratal.", "Köpte skor.", "Beställde en jacka till min son.", "Första köpet.", "Hälsningar från Vasa.", "Beställde i mobilen."},
		closers: map[Mood][]string{
			Unhappy: {"Bättra er.", "Handlar inte här igen.", "Synd.", "🙁", "Annars okej."},
			Middle:  {"Mvh"},
			Happy:   {"Tack!", "🙂", "Fortsätt så."},
		},
		parts: []part{
			{Unhappy, 25, 50, []string{"Leveransen tog tre veckor.", "Leverans utlovad på fredag, kom på onsdag.", "Leveranserna är alltid försenade.", "Sen leverans och ingen information.", "Leveransen hamnade i fel stad.", "Väntade hemma, men leveransen kom aldrig."}},
			{Unhappy, 24, 50, []string{"Satt i telefonkö i en timme.", "Telefonkön är hopplös.", "Kundtjänsten svarar inte, bara telefonkö.", "Fyrtio minuter i telefonkö och sedan bröts samtalet.", "Telefonkön kostar pengar."}},
			{Unhappy, 24, 95, []string{"Priset har höjts två gånger.", "Prishöjningen kom utan förvarning, priset är orimligt.", "Priserna stiger hela tiden.", "Varför höjs priset igen?", "Priset stämmer inte med kvaliteten."}},
			{Happy, 60, 50, []string{"Snabbt och enkelt.", "Vänlig personal.", "Stort sortiment och tydliga bilder.", "Enkelt att beställa.", "Skorna sitter perfekt på foten.", "Kvaliteten överraskade.", "Vänlig och kunnig personal.", "Snabb leverans.", "Rekommenderar varmt."}},
			{Middle, 10, 50, []string{"Helt okej.", "Leveransen var som vanligt.", "Sortimentet kunde vara större."}},
		},
	},
	"en": {
		openers: []string{"Hi,", "Long-time customer here.", "Bought shoes.", "Ordered a jacket for my son.", "First order.", "Greetings from Turku."},
		closers: map[Mood][]string{
			Unhappy: {"Please fix.", "Never again.", "Sad.", "🙁", "Otherwise ok."},
			Middle:  {"That's all."},
			Happy:   {"Thanks!", "🙂", "Keep it up."},
		},
		parts: []part{
			{Unhappy, 25, 50, []string{"Delivery took three weeks.", "The delivery was late again.", "Deliveries never arrive on time.", "Waited at home, the delivery didn't show up.", "No news about my delivery."}},
			{Unhappy, 24, 50, []string{"The app doesn't work on my phone.", "Checkout doesn't work.", "Search doesn't work with umlauts.", "Login doesn't work since Monday."}},
			{Unhappy, 24, 95, []string{"Prices went up twice.", "The price is a joke.", "Why did the price rise?", "Price increase without notice, the price isn't worth it."}},
			{Happy, 60, 50, []string{"Quick and easy.", "Friendly staff.", "Wide selection and clear pictures.", "Easy to order.", "The shoes fit.", "Friendly and knowledgeable staff.", "Quality surprised me.", "Fast delivery.", "I recommend it."}},
			{Middle, 10, 50, []string{"It's ok.", "Delivery as usual.", "Selection could be wider."}},
		},
	},
}

// generate returns the comments of a language, always the same.
func generate(language string) []Comment {
	c := corpora[language]
	r := rand.New(rand.NewPCG(6, uint64(len(language))))
	var out []Comment
	for _, p := range c.parts {
		for i := range p.share {
			text := p.sentences[i%len(p.sentences)]
			if r.IntN(2) == 0 {
				text = c.openers[r.IntN(len(c.openers))] + " " + text
			}
			if r.IntN(3) == 0 {
				text += " " + c.closers[p.mood][r.IntN(len(c.closers[p.mood]))]
			}
			out = append(out, Comment{Text: text, Language: language, Mood: p.mood, Late: r.IntN(100) < p.late})
		}
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// comments reads the comments of a language: one a line, with its mood and its
// half before it.
func comments(t testing.TB, language string) []Comment {
	t.Helper()
	path := filepath.Join("testdata", "comments_"+language+".txt")
	moods := map[string]Mood{"unhappy": Unhappy, "middle": Middle, "happy": Happy}
	if *update {
		var b strings.Builder
		names := map[Mood]string{}
		for name, m := range moods {
			names[m] = name
		}
		for _, c := range generate(language) {
			half := "early"
			if c.Late {
				half = "late"
			}
			fmt.Fprintf(&b, "%s\t%s\t%s\n", names[c.Mood], half, c.Text)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []Comment
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 3 {
			t.Fatalf("%s: %q", path, line)
		}
		out = append(out, Comment{Text: f[2], Language: language, Mood: moods[f[0]], Late: f[1] == "late"})
	}
	return out
}
