package generator

import (
	"strconv"
	"strings"

	"github.com/pulssi/pulssi/shared/survey"
)

// Shares of answers with a comment, by category.
const (
	tellsBad  = .58
	tellsSome = .38
	tellsGood = .28
)

// comment returns what somebody writes with the score of a, "" for nothing.
func (m *maker) comment(d int, a *survey.Ask, p person) string {
	category := m.metric.Category(a.Score)
	share, happy := tellsGood, true
	switch category {
	case survey.Detractor, survey.Dissatisfied:
		share, happy = tellsBad, false
	case survey.Passive, survey.Neutral:
		share, happy = tellsSome, m.rand.Float64() < .4
	}
	if m.rand.Float64() >= share*(1-m.silent) {
		return ""
	}
	themes, by := m.bad, func(t theme) float64 { return m.talked(t, d, p) }
	if happy {
		themes, by = m.good, func(t theme) float64 { return m.praised(t, d) }
	}
	now := make([]weighted[theme], len(themes))
	for i, t := range themes {
		now[i] = weighted[theme]{t.value, t.weight * by(t.value)}
	}
	t := pick(m.rand, now)
	said := m.say(t, happy, a.Locale)
	switch r := m.rand.Float64(); {
	case r < .12:
		if other := pick(m.rand, now); other != t {
			said += " " + m.say(other, happy, a.Locale)
		}
	case r < .34:
		said += " " + m.one(closing[happy][a.Locale])
	case r < .44:
		said = strings.TrimSuffix(said, ".") // as people write
	}
	return said
}

func (m *maker) say(t theme, happy bool, locale string) string {
	return m.one(sayings[t][happy][locale])
}

// one draws a text, and fills its numbers in.
func (m *maker) one(texts []string) string {
	s := texts[m.rand.IntN(len(texts))]
	s = strings.ReplaceAll(s, "{days}", strconv.Itoa(4+m.rand.IntN(9)))
	return strings.ReplaceAll(s, "{minutes}", strconv.Itoa(15+5*m.rand.IntN(10)))
}

type texts map[string][]string // by language

var closing = map[bool]texts{
	true: {
		"fi": {"Kiitos!", "Kiitos teille.", "Jatkakaa samaan malliin!", "Suosittelen muillekin.", "Tilaan varmasti uudestaan."},
		"sv": {"Tack!", "Fortsätt så!", "Rekommenderas varmt."},
		"en": {"Thanks!", "Keep it up.", "Will order again."},
	},
	false: {
		"fi": {"En tilaa enää uudestaan.", "Toivottavasti asia korjataan.", "Petyin.", "Ennen kaikki toimi paremmin.", "Harmillista, koska muuten olen ollut tyytyväinen."},
		"sv": {"Jag är besviken.", "Hoppas att det blir bättre.", "Det var bättre förr."},
		"en": {"Disappointing.", "Please fix this.", "It used to be better."},
	},
}

// sayings are what people write about a theme when they are happy and when
// they are not.
var sayings = map[theme]map[bool]texts{
	delivery: {
		true: {
			"fi": {
				"Toimitus oli nopea ja paketti tuli ehjänä perille.",
				"Tilaus tuli jo seuraavana päivänä.",
				"Nopea toimitus, ei moitittavaa.",
				"Toimituksessa ei mennyt kuin kaksi päivää.",
				"Paketin sai noudettua kätevästi lähikaupan automaatista.",
				"Kuljettaja soitti etukäteen ja toi paketin ovelle asti.",
				"Toimitusaika piti paikkansa ja seuranta toimi hyvin.",
				"Tavarat tulivat sovittuna päivänä ja hyvin pakattuina.",
				"Noutopiste oli lähellä ja paketti löytyi heti.",
				"Todella ripeä toimitus.",
				"Lähetyksen seuranta kertoi tarkasti, milloin paketti tulee.",
			},
			"sv": {
				"Snabb leverans och allt var helt.", "Paketet kom redan nästa dag.", "Leveransen kom precis när ni lovade.",
				"Smidigt att hämta paketet i automaten.",
			},
			"en": {
				"Fast delivery, everything arrived in one piece.", "The parcel came the next day.", "Delivered exactly when promised.",
				"Picking up the parcel from the locker was easy.",
			},
		},
		false: {
			"fi": {
				"Toimitus kesti {days} päivää, vaikka luvattiin kaksi.",
				"Toimituksen piti tulla viime viikolla, eikä pakettia ole vieläkään näkynyt.",
				"Paketti oli jumissa lajittelussa {days} päivää eikä kukaan osannut kertoa missä.",
				"Toimituksessa kesti aivan liian kauan.",
				"Tilaus myöhästyi, ja lahja tuli perille vasta juhlien jälkeen.",
				"Toimitusaika venyi eikä myöhästymisestä ilmoitettu mitenkään.",
				"Kuljettaja jätti paketin sateeseen pihalle.",
				"Paketti toimitettiin väärään noutopisteeseen toiselle puolelle kaupunkia.",
				"Toimitukset ovat myöhässä joka kerta.",
				"Kuljetusliike ei soittanut, vaikka kotiinkuljetuksesta oli sovittu.",
				"Seuranta näytti toimitettua, mutta pakettia ei ollut missään.",
				"Paketti tuli perille rikkinäisenä.",
				"Toimitusta joutui odottamaan {days} päivää, mikä on liikaa.",
				"Luvattu toimituspäivä vaihtui kolme kertaa.",
				"Noutopisteen automaatti oli täynnä ja paketti palautettiin takaisin lähettäjälle.",
			},
			"sv": {
				"Leveransen tog {days} dagar fast ni lovade två.", "Paketet var försenat och ingen meddelade något.",
				"Leveransen kom för sent, efter födelsedagen.", "Paketet lämnades på fel utlämningsställe.", "Paketet var trasigt när det kom.",
			},
			"en": {
				"Delivery took {days} days although two were promised.", "The parcel was late and nobody told me.",
				"The delivery arrived after the party it was for.", "It was delivered to the wrong pick-up point.", "The parcel arrived damaged.",
			},
		},
	},
	price: {
		true: {
			"fi": {
				"Hinta oli kohdallaan.", "Hyvät hinnat ja usein tarjouksia.", "Edullisempi kuin muualla.", "Hinta-laatusuhde on hyvä.",
				"Kanta-asiakkaan alennus oli mukava yllätys.",
			},
			"sv": {"Bra priser.", "Mycket för pengarna.", "Billigare än på andra ställen."},
			"en": {"Good prices.", "Great value for money.", "Cheaper than elsewhere."},
		},
		false: {
			"fi": {
				"Hinnat ovat nousseet liikaa.",
				"Hinta nousi, mutta palvelu ei parantunut.",
				"Hinnankorotus tuli täysin yllättäen.",
				"Liian kallis nykyisin, samat tuotteet saa halvemmalla muualta.",
				"Hintojen nosto oli kohtuuton, varsinkin vanhalle asiakkaalle.",
				"En ymmärrä, miksi hintaa korotettiin näin paljon.",
				"Korotuksen jälkeen hinta ei enää vastaa laatua.",
				"Kuukausimaksu nousi eikä siitä kerrottu kunnolla.",
				"Hinnoissa ei ole enää mitään järkeä.",
				"Postikulut ja hinta yhdessä tekevät tilaamisesta kannattamatonta.",
				"Olen harkinnut vaihtamista hinnan takia.",
				"Kallistunut selvästi vuoden aikana.",
				"Hintaan lisättiin kuluja vasta lopussa.",
			},
			"sv": {
				"Priserna har stigit för mycket.", "Prishöjningen kom som en överraskning.", "För dyrt numera.",
				"Priset höjdes men servicen blev inte bättre.", "Månadsavgiften steg utan ordentlig information.",
			},
			"en": {
				"Prices have gone up too much.", "The price increase came out of nowhere.", "Too expensive nowadays.",
				"You raised the price but not the quality.", "Thinking of switching because of the price.",
			},
		},
	},
	ordering: {
		true: {
			"fi": {
				"Tilaaminen oli helppoa ja nopeaa.", "Uusi kassa on todella selkeä.", "Maksaminen sujui MobilePaylla hetkessä.",
				"Tilaus hoitui muutamalla klikkauksella.", "Kassalla ei tarvinnut enää täyttää osoitetta uudestaan.",
				"Ostoskori ja maksu toimivat hyvin puhelimellakin.", "Tilauksen tekeminen onnistui ilman kirjautumista.",
				"Selkeä tilausprosessi.",
			},
			"sv": {"Det var lätt att beställa.", "Den nya kassan är tydlig.", "Betalningen gick snabbt och smidigt.", "Smidigt att beställa även på mobilen."},
			"en": {"Ordering was quick and easy.", "The new checkout is very clear.", "Paying took just a moment.", "Works well on the phone too."},
		},
		false: {
			"fi": {
				"Kassa kaatui kesken maksun.",
				"Maksu ei mennyt läpi ja ostoskori tyhjeni.",
				"Tilaaminen vaati rekisteröitymisen, vaikka en halunnut tiliä.",
				"Kassalla piti täyttää samat tiedot kahteen kertaan.",
				"Alennuskoodi ei toiminut kassalla.",
				"Tilauslomake oli sekava ja liian pitkä.",
				"Puhelimella tilaaminen oli lähes mahdotonta.",
				"Kassan painikkeet eivät reagoineet, piti yrittää kolme kertaa.",
				"Maksaminen epäonnistui pankin sivulta palatessa.",
				"Toimitustavan valinta kassalla oli epäselvä.",
				"Ostoskorista katosi tuotteita kesken tilauksen.",
				"Kassalle pääsy kesti ja sivu latautui hitaasti.",
				"Osoitetta ei voinut muuttaa enää maksamisen jälkeen.",
			},
			"sv": {
				"Kassan hängde sig mitt i betalningen.", "Betalningen gick inte igenom och varukorgen tömdes.", "Man måste registrera sig för att beställa.",
				"Rabattkoden fungerade inte i kassan.", "Formuläret var för långt.",
			},
			"en": {
				"The checkout crashed in the middle of paying.", "Payment failed and my cart was emptied.", "I had to create an account just to order.",
				"The discount code did not work at checkout.", "The form is far too long.",
			},
		},
	},
	waiting: {
		true: {
			"fi": {"Vastasitte nopeasti.", "Puheluun vastattiin heti.", "Ei tarvinnut jonottaa lainkaan.", "Chatissa sai vastauksen minuutissa."},
			"sv": {"Ni svarade snabbt.", "Ingen kö alls."},
			"en": {"You answered right away.", "No waiting at all."},
		},
		false: {
			"fi": {
				"Jonotin puhelimessa {minutes} minuuttia.",
				"Asiakaspalveluun ei saanut yhteyttä, jono oli loputon.",
				"Vastausta sähköpostiin sai odottaa {days} päivää.",
				"Jonossa odottaminen kesti ja lopulta puhelu katkesi.",
				"Takaisinsoittoa ei koskaan tullut.",
				"Chatissa jonotin {minutes} minuuttia eikä kukaan vastannut.",
				"Asiakaspalvelun jonotusaika on aivan liian pitkä.",
				"Odotin vastausta viikon ja sain vain automaattisen viestin.",
				"Puhelimeen vastattiin vasta kolmannella kerralla.",
			},
			"sv": {"Jag fick köa i {minutes} minuter.", "Det tog {days} dagar att få svar.", "Ingen ringde tillbaka.", "Kön till kundtjänsten är alldeles för lång."},
			"en": {"I was on hold for {minutes} minutes.", "It took {days} days to get a reply.", "Nobody called me back.", "The queue to customer service is far too long."},
		},
	},
	service: {
		true: {
			"fi": {
				"Ystävällinen ja asiantunteva palvelu.", "Asia hoitui kerralla kuntoon.", "Asiakaspalvelija kuunteli ja keksi ratkaisun.",
				"Sain selkeän vastauksen kysymykseeni.", "Palvelu oli kärsivällistä ja ystävällistä.", "Ongelma ratkesi samana päivänä.",
				"Asiakaspalvelusta sai hyvää apua.", "Minua palveltiin erinomaisesti myös ruotsiksi.",
			},
			"sv": {"Vänlig och kunnig service.", "Ärendet sköttes på en gång.", "Jag fick ett tydligt svar."},
			"en": {"Friendly and competent service.", "Solved at the first attempt.", "I got a clear answer."},
		},
		false: {
			"fi": {
				"Asiakaspalvelija ei ymmärtänyt ongelmaani.",
				"Sain kolme eri vastausta kolmelta eri ihmiseltä.",
				"Asiaani siirreltiin henkilöltä toiselle eikä kukaan ottanut vastuuta.",
				"Vastaus oli kopioitu ohjeista eikä auttanut mitenkään.",
				"Palvelu oli töykeää.",
				"Ongelma jäi ratkaisematta, vaikka tapaus suljettiin.",
				"Jouduin selittämään saman asian moneen kertaan.",
				"Luvattua hyvitystä ei ole näkynyt.",
			},
			"sv": {"Jag fick olika svar av olika personer.", "Problemet löstes aldrig.", "Otrevligt bemötande."},
			"en": {"I got different answers from different people.", "The problem was never solved.", "The agent was rude."},
		},
	},
	search: {
		true: {
			"fi": {"Haku löysi heti oikean tuotteen.", "Tieto löytyi helposti.", "Selkeät sivut ja hyvä haku."},
			"sv": {"Lätt att hitta.", "Sökningen fungerade bra."},
			"en": {"Easy to find.", "Search worked well."},
		},
		false: {
			"fi": {
				"Haku ei löydä mitään, vaikka tuote on valikoimassa.",
				"Hakutulokset olivat aivan väärästä aiheesta.",
				"En löytänyt palautusohjeita mistään.",
				"Haku antoi tyhjän sivun.",
				"Takuuehtoja ei löytynyt sivuilta.",
				"Hakua ei voi rajata koon mukaan.",
				"Aukioloajat olivat vanhentuneet.",
				"Hakemalla tuotteen nimellä ei tullut yhtään tulosta.",
				"Yhteystiedot on piilotettu liian hyvin.",
			},
			"sv": {"Sökningen hittar ingenting.", "Jag hittade inte returvillkoren.", "Öppettiderna var föråldrade.", "Sökresultaten gällde något helt annat."},
			"en": {"Search finds nothing.", "Could not find the return policy.", "Opening hours were out of date.", "Search results were about something else."},
		},
	},
	product: {
		true: {
			"fi": {"Hyvät kuvat ja mittatiedot.", "Tuotetiedot olivat kattavat.", "Arvostelut auttoivat valinnassa.", "Kokotaulukko piti paikkansa."},
			"sv": {"Bra bilder och tydliga mått.", "Omdömena hjälpte mig att välja."},
			"en": {"Good pictures and measurements.", "The reviews helped me choose."},
		},
		false: {
			"fi": {
				"Mitat puuttuivat kokonaan.",
				"Kuvia oli vain yksi eikä siitä saanut selvää.",
				"Tuotetiedot olivat vain englanniksi.",
				"Kokotaulukko ei pitänyt paikkaansa.",
				"Tuotteen saatavuus näytti väärin, tuotetta ei ollutkaan varastossa.",
				"Materiaalia ei kerrottu missään.",
				"Tuotesivulla ei kerrottu yhteensopivuudesta mitään.",
				"Vertailu muihin malleihin puuttuu.",
			},
			"sv": {"Måtten saknades.", "Det stod inget om materialet.", "Storlekstabellen stämde inte."},
			"en": {"Measurements were missing.", "No word about the material.", "The size chart was wrong."},
		},
	},
	quality: {
		true: {
			"fi": {"Tuote on juuri sellainen kuin luvattiin.", "Laadukas tuote.", "Laatu yllätti positiivisesti.", "Tuotteet ovat kestäneet hyvin käytössä."},
			"sv": {"Bra kvalitet.", "Produkten är precis som utlovat."},
			"en": {"Good quality.", "Exactly as described."},
		},
		false: {
			"fi": {
				"Tuote hajosi viikossa.", "Laatu ei vastannut kuvaa.", "Väri oli aivan eri kuin kuvassa.", "Laadussa on menty alaspäin.",
				"Tuotteesta puuttui osia.", "Vetoketju rikkoutui ensimmäisellä käyttökerralla.",
			},
			"sv": {"Produkten gick sönder på en vecka.", "Kvaliteten var sämre än på bilden.", "Delar saknades."},
			"en": {"It broke within a week.", "Quality was not as pictured.", "Parts were missing."},
		},
	},
	returns: {
		true: {"fi": {"Palautus onnistui vaivatta."}, "sv": {"Returen gick smidigt."}, "en": {"Returning was painless."}},
		false: {
			"fi": {
				"Palautuksen hyvitystä sai odottaa {days} päivää.",
				"Palauttaminen maksoi enemmän kuin tuote.",
				"Palautusohjeet olivat epäselvät.",
				"Palautusta ei hyväksytty, vaikka paketti oli avaamaton.",
				"Palautuslipuketta ei tullut paketin mukana.",
				"Rahoja palautuksesta ei ole vieläkään näkynyt.",
			},
			"sv": {"Det tog {days} dagar att få pengarna tillbaka.", "Returanvisningarna var oklara."},
			"en": {"The refund took {days} days.", "Return instructions were unclear."},
		},
	},
	staff: {
		true: {
			"fi": {"Henkilökunta oli todella ystävällistä.", "Myyjä auttoi löytämään oikean koon.", "Mukava asioida, palvelu hymyilee.", "Sain hyvää apua myyjältä."},
			"sv": {"Trevlig personal.", "Expediten hjälpte mig att hitta rätt."},
			"en": {"Lovely staff.", "The shop assistant was very helpful."},
		},
		false: {
			"fi": {"Myyjää ei löytynyt mistään.", "Henkilökuntaa oli liian vähän.", "Myyjä ei osannut neuvoa.", "Henkilökunta ei tervehtinyt."},
			"sv": {"Det fanns ingen personal i närheten.", "Expediten kunde inte svara."},
			"en": {"No staff to be seen.", "The assistant did not know the products."},
		},
	},
	queue: {
		true: {"fi": {"Ei jonoja."}, "sv": {"Ingen kö."}, "en": {"No queue."}},
		false: {
			"fi": {"Vain yksi kassa auki ja pitkä jono.", "Kassajono oli liian pitkä.", "Jonottaminen kesti ikuisuuden.", "Itsepalvelukassat olivat rikki.", "Sovituskoppiin piti jonottaa."},
			"sv": {"Bara en kassa öppen.", "Lång kö till kassan."},
			"en": {"Only one till open.", "Long queue at the till."},
		},
	},
	leavingHow: {
		true: {
			"fi": {"Irtisanominen onnistui helposti.", "En tarvinnut palvelua enää, muuten kaikki oli hyvin.", "Muutin ulkomaille, mutta palvelu oli hyvä.", "Tilauksen päättäminen kävi parissa minuutissa."},
			"sv": {"Det var lätt att säga upp.", "Jag behövde inte tjänsten längre."},
			"en": {"Cancelling was easy.", "I no longer needed it."},
		},
		false: {
			"fi": {
				"Tilauksen päättäminen oli tehty tahallaan vaikeaksi.",
				"Irtisanomiseen vaadittiin soitto, vaikka tilaus tehtiin netissä.",
				"Irtisanomisen jälkeen laskutettiin vielä kuukausi.",
				"Lopetuspainiketta ei löytynyt asetuksista.",
				"En käyttänyt palvelua tarpeeksi.",
				"Kilpailijalta sai saman halvemmalla.",
			},
			"sv": {"Det var svårt att säga upp.", "Jag fakturerades efter uppsägningen.", "Jag använde tjänsten för lite."},
			"en": {"Cancelling was made hard on purpose.", "I was billed after cancelling.", "I did not use it enough."},
		},
	},
	choice: {
		true: {
			"fi": {"Laaja valikoima.", "Valikoimasta löytyi juuri se, mitä etsin.", "Hyvä valikoima ja aina jotain uutta.", "Kaikki tarvittava löytyy samasta paikasta."},
			"sv": {"Brett sortiment.", "Allt på samma ställe."},
			"en": {"Great selection.", "Everything in one place."},
		},
		false: {
			"fi": {"Valikoima on supistunut.", "Koot olivat loppu."}, "sv": {"Utbudet har minskat."}, "en": {"The selection has shrunk."},
		},
	},
}
