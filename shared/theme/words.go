package theme

import "strings"

// Words that are no theme, by language: those of the closed classes (pronouns,
// conjunctions, adpositions, auxiliary verbs, particles), adverbs of degree and
// time, and words that only say again what the score says. The lists are our
// own, written for comments on a service.
var noThemes = map[string]map[string]bool{
	"fi": set(`
		olla olen olet on olemme olette ovat ole oli olin olit olimme olitte olivat olisi olisin olisit olisimme olisivat ollut olleet oltiin ollaan
		liene lienee ollakaan oo oon oltu olevan oleva olevat
		minä minun minut minua minussa minusta minuun minulla minulta minulle mä mun mut mua mulla multa mulle must
		sinä sinun sinut sinua sinulla sinulta sinulle sä sun
		hän hänen hänet häntä häneltä hänelle hänellä
		me meidän meidät meitä meissä meistä meihin meillä meiltä meille
		te teidän teidät teitä teissä teistä teihin teillä teiltä teille
		he heidän heidät heitä heissä heistä heihin heillä heiltä heille
		tämä tämän tätä tässä tästä tähän tällä tältä tälle tänä täksi nämä näiden näitä näissä näistä näihin näillä näiltä näille
		tuo tuon tuota tuossa tuosta tuohon tuolla tuolta tuolle nuo noiden noita noissa noista noihin noilla
		se sen sitä siinä siitä siihen sillä siltä sille sinä siksi ne niiden niitä niissä niistä niihin niillä niiltä niille
		kuka kenen ketä kenellä keneltä kenelle mikä minkä mitä missä mistä mihin millä miltä mille miksi mitkä miten milloin kuinka
		joka jonka jota jossa josta johon jolla jolta jolle joksi jotka joiden joita joissa joista joihin joilla joilta joille
		joku jonkun jotain jotakin jossain jostain johonkin jokin jonkin jotkut kukaan ketään mikään mitään missään mistään mihinkään millään
		jokainen jokaisen kaikki kaiken kaikkea kaikkien kaikkia kaikille kaikessa kaikesta itse itseni oma oman omaa omat toinen toisen toista
		molemmat muu muun muuta muut muita muiden muulla sama saman samaa samat eräs moni monta monen useita usein
		ja tai sekä eli mutta vaan että jotta koska kun kunnes jos vaikka kuin niin ettei eikä joten vai siis sillä kunhan
		ennen jälkeen kanssa ilman vasta kohti mukaan takia vuoksi varten kautta aikana alla päällä edellä edestä luona luokse
		yli ali noin lähes läpi ohi päin asti saakka kesken ympäri sijaan sijasta puolesta lisäksi
		nyt sitten silloin heti jo vielä enää aina joskus ikinä koskaan eilen tänään huomenna pian kohta taas uudelleen uudestaan lopulta lopuksi
		ensin ensi viime kerran kertaa kerta kerralla vuosi vuotta vuoden pitkään kauan
		täällä tänne siellä sinne sieltä täältä tuonne tuolla siellä
		myös vain ihan aivan hyvin todella tosi erittäin melko aika varsin liian liikaa niinkin kovin paljon vähän hieman enemmän vähemmän eniten
		jopa edes juuri melkein oikein tosiaan kyllä ehkä varmaan luultavasti toki tietysti tietenkin kuitenkin silti muuten yhtään lainkaan ollenkaan
		myöskään tosin näin noin noh no joo okei ok kai vaikkapa esim esimerkiksi yleensä lähinnä ainakin ainoa ainoastaan
		yksi yhden yhtä kaksi kahden kahta kolme kolmen kolmea pari parin neljä viisi monesti useasti
		pitää pitäisi piti täytyy täytyi saa saan saada saisi sai sain saatu saanut saivat voi voin voisi voida voinut voivat
		haluan haluaisin halusin tuli tulee tulla tulleet tullut tulisi tulin meni mennä menee menin mennyt tehdä tekee teki tein tehty tehnyt
		sanoi sanottiin kävi käydä käyn kävin antaa annoin anna jäi jää jäin jäänyt jättää
		olevinaan olipa onko eikö voiko hei moi moro terve terveisin terveisiä terv yst
		hyvä hyvää hyvän hyvät hyviä hyvin huono huonoa huonon huonot huonoja huonosti kiitos kiitokset kiitti kiva kivaa mukava mukavaa
		tyytyväinen tyytyväisiä tyytymätön loistava loistavaa erinomainen erinomaista mahtava mahtavaa upea upeaa paras parasta paras parempi parempaa
		surkea surkeaa kamala kamalaa kauhea kauheaa pettynyt pettymys super ihana ihanaa plussaa miinusta asia asiaa asian asiat asioita juttu
	`),
	"sv": set(`
		jag mig min mitt mina du dig din ditt dina han honom hans hon henne hennes den det dess de dem deras dom
		vi oss vår vårt våra ni er ert era man ens sig sin sitt sina själv själva
		denna detta dessa denne den här där dit hit som vilken vilket vilka vem vad vars när var hur varför
		någon något några ingen inget inga all allt alla annan annat andra varje båda samma sådan sådant sådana en ett
		och eller men utan för att om så än då därför eftersom medan innan trots fast samt både antingen
		av på i till från med mot vid hos under över mellan genom efter före sedan åt ur kring per enligt ut in upp ner
		är var vara varit vore blir bli blev blivit har hade ha haft kan kunde kunna kunnat ska skall skulle vill ville måste får fick få fått
		gör göra gjorde gjort går gå gick gått kommer kom komma kommit ta tar tog tagit ge ger gav säga säger sa sade
		bör borde brukar behöver behövde låta låter
		nu redan ännu aldrig alltid ofta ibland igen idag igår snart först sist sen genast längre länge
		också bara endast ganska mycket mer mest lite litet mindre väldigt jätte verkligen helt alltför för nästan kanske nog ju väl dock ändå
		dessutom även åtminstone alls mera många få flera fler flest två tre första andra gång gången gånger år ja jo nej ok okej
		bra dålig dåligt dåliga tack toppen nöjd nöjda missnöjd fin fint fina kanon super perfekt utmärkt utmärkta trevlig bäst bättre sämst sämre
		hej hejsan hälsningar mvh hemskt fruktansvärt besviken underbar underbart sak saker
	`),
	"en": set(`
		i me my mine myself you your yours yourself he him his she her hers it its itself we us our ours they them their theirs
		this that these those who whom whose which what when where why how there here
		some any none all both each every other another such same own one ones someone something anyone anything everyone everything nothing
		and or but if because as until while so than though although whether since unless nor
		of at by for with about against between into through during before after above below to from up down in out on off over under again
		further then once per via within without upon toward towards
		am is are was were be been being have has had having do does did doing done would should could ought can will shall may might must
		i'm i've i'd i'll you're you've you'd you'll he's she's it's it'd it'll we're we've we'd we'll they're they've they'd they'll that's there's
		let's what's who's here's
		get got gets getting go goes went gone going come came comes make made makes take took taken takes give gave given say said says
		want wanted need needed let put
		a an the no yes ok okay just only also too very really quite rather so much many more most less least few little lot lots bit
		still already yet always often sometimes now today yesterday soon even ever almost maybe perhaps however well back away around
		two three first second last next time times year years day
		good bad great best better worse worst nice terrible awful horrible excellent perfect amazing poor love loved like liked thank thanks
		hi hello hey regards greetings happy unhappy satisfied dissatisfied disappointed disappointing fine super thing things
	`),
}

// negations are in no theme alone but begin a phrase: of "ei toimi" it is the
// whole of it.
var negations = map[string]map[string]bool{
	"fi": set("ei en et emme ette eivät"),
	"sv": set("inte ej icke"),
	"en": set("not don't doesn't didn't can't cannot couldn't won't wouldn't isn't aren't wasn't weren't haven't hasn't hadn't never"),
}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}
