package theme

import (
	"strings"
	"testing"
)

// TestStemJoins has the forms of one word in a row, and no two rows may have a
// stem in common.
func TestStemJoins(t *testing.T) {
	for language, rows := range map[string][]string{
		"fi": {
			"toimitus toimituksen toimitusta toimituksessa toimituksesta toimitukseen toimituksella toimituksena toimitukset toimituksia toimituksien toimitusten toimituksissa toimituksista Toimituksenne",
			"toimitusaika toimitusajan toimitusaikaa toimitusajat toimitusaikoja toimitusajassa toimitusajasta",
			"palautus palautuksen palautusta palautukset palautuksia palautusten palautuksessa palautuksesta",
			"jonotus jonotuksen jonotusta jonotukseen jonotuksessa",
			"jono jonon jonoa jonossa jonot",
			"vastaus vastauksen vastausta vastauksia vastausten vastaukset",
			"tilaus tilauksen tilausta tilaukset tilauksessa tilauksesta",
			"kysymys kysymyksen kysymystä kysymyksiä kysymykseen",
			"kokemus kokemuksen kokemusta kokemukset",
			"korotus korotuksen korotusta korotukset korotuksia",
			"mahdollisuus mahdollisuuden mahdollisuutta mahdollisuudet mahdollisuuksia",
			"yhteys yhteyden yhteyttä yhteydessä",
			"nainen naisen naista naiset naisia naisten",
			"ihminen ihmisen ihmistä ihmiset ihmisiä ihmisten",
			"ystävällinen ystävällisen ystävällistä ystävälliset ystävällisiä",
			"maksaminen maksamisen maksamista maksamisessa maksamiseen",
			"maksu maksun maksua maksut maksussa maksusta",
			"asiakaspalvelu asiakaspalvelun asiakaspalvelua asiakaspalvelusta asiakaspalvelussa asiakaspalveluun asiakaspalvelunne",
			"kauppa kaupan kauppaa kaupassa kaupat kauppoja kaupasta",
			"verkkokauppa verkkokaupan verkkokaupassa verkko-kaupassa verkkokauppaa verkkokaupasta",
			"kassa kassan kassaa kassalla kassat kassoilla kassoja",
			"hinta hinnan hintaa hinnat hintoja hintojen hinnassa hinnoissa",
			"laatu laadun laatua laadusta laadussa",
			"tieto tiedon tietoa tiedot tietoja",
			"tuote tuotteen tuotetta tuotteet tuotteita tuotteiden",
			"paketti paketin pakettia paketit paketteja",
			"aika ajan aikaa ajat aikoja",
			"uusi uuden uutta uudet uusia",
			"kallis kalliin kallista kalliit kalliita",
			"hidas hitaan hidasta hitaat hitaasti hitaita",
			"nopea nopean nopeaa nopeasti nopeat nopeita",
			"hyvä hyvän hyvää hyvät hyviä",
			"huono huonon huonoa huonosti huonot huonoja",
			"henkilökunta henkilökunnan henkilökuntaa henkilökunnalta",
			"kana kanan kanaa kanat",
			"kanta kannan kannat",
			"tila tilan tilaa tilat",
			"posti postin postia postissa",
			"toimisto toimiston toimistoa toimistossa toimistosta",
			"toimittaja toimittajan toimittajaa toimittajat",
			"maksaja maksajan maksajaa maksajat",
			"tila-auto tila-auton tila-autoa",
			"tili tilin tiliä tilillä",
			"lasku laskun laskua laskut laskussa laskusta",
			"luotto luoton luottoa",
			"luottamus luottamuksen luottamusta",
			"alennus alennuksen alennusta alennukset",
			"lähetys lähetyksen lähetystä lähetykset",
			"viivästys viivästyksen viivästystä",
			"seuranta seurannan seurantaa",
			"sovellus sovelluksen sovellusta sovelluksessa",
			"virhe virheen virhettä virheet virheitä",
		},
		"sv": {
			"leverans leveransen leveranser leveranserna",
			"leveranstid leveranstiden leveranstider",
			"kundtjänst kundtjänsten kundtjänstens",
			"pris priset priser priserna",
			"betalning betalningen betalningar",
			"retur returen returer returerna",
			"kassa kassan kassor",
			"kö kön",
		},
		"en": {
			"delivery deliveries delivery's",
			"delivered delivering",
			"price prices",
			"queue queues",
			"refund refunds refunded",
			"check-out checkout checkouts",
		},
	} {
		of := map[string]string{}
		for _, row := range rows {
			forms := strings.Fields(strings.ToLower(row))
			want := stem(forms[0], language)
			if other := of[want]; other != "" {
				t.Errorf("%s: %s and %s are both %q", language, other, forms[0], want)
			}
			of[want] = forms[0]
			for _, form := range forms {
				if got := stem(form, language); got != want {
					t.Errorf("%s: %s is %q, %s is %q", language, forms[0], want, form, got)
				}
			}
		}
	}
}

func TestStemOfAnotherLanguageIsTheWord(t *testing.T) {
	for _, tt := range []struct{ word, language, want string }{
		{"lieferungen", "de", "lieferungen"},
		{"verkko-kaupat", "et", "verkkokaupat"},
		{"a4:n", "fi", "a4:n"},
		{"24h", "en", "24h"},
		{"ei", "fi", "ei"},
		{"eivät", "fi", "ei"},
		{"", "fi", ""},
	} {
		if got := stem(tt.word, tt.language); got != tt.want {
			t.Errorf("%s of %q is %q, want %q", tt.word, tt.language, got, tt.want)
		}
	}
}
