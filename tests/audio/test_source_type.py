"""The IPTC digital source type in every format, and what else has positions in XMP and iXML."""

import time

import numpy as np
import pytest

from jen1cli import audio
from jen1cli.audio.metadata import GENERATED, PARTLY_GENERATED, Metadata, id3
from metadata_support import (
    LEAD,
    RATE,
    TEXTS,
    chunk,
    chunks_of,
    edit,
    metadata_of,
    tagged,
    with_chunks,
)

SUFFIXES = ("wav", "aiff", "flac", "ogg", "opus", "mp3")
PAIRS = [
    pytest.param(first, second, marks=[] if (j - i) % len(SUFFIXES) == 1 else pytest.mark.heavy)
    for i, first in enumerate(SUFFIXES)
    for j, second in enumerate(SUFFIXES)
]
"""From every format to every other; by default from each to the next, and so to each once."""
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description dc:title="mine"'
    b' xmpDM:frameRate="f24000"/><rdf:li xmpDM:startTime="1200" xmpDM:name="a"/>'
    b"<xmpDM:startTime>0</xmpDM:startTime><xmpDM:startTime>96f24s2</xmpDM:startTime>"
    b"</rdf:RDF></x:xmpmeta>"
)


def kind_of(path):
    return audio.read_marks(path).source_type


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_generated_music_has_it_in_every_format(tmp_path, noise, suffix):
    path = tmp_path / f"a.{suffix}"
    audio.write(path, noise(0.2), RATE, tags=audio.GENERATED_TAGS)
    assert kind_of(path) == GENERATED
    assert b"trainedAlgorithmicMedia" in path.read_bytes()


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_edits_have_it_and_keep_the_rest(tmp_path, noise, first, second):
    source = tagged(tmp_path / f"in.{first}", noise(0.2), Metadata(texts=TEXTS))
    assert kind_of(source) is None
    target, again = tmp_path / f"out.{second}", tmp_path / f"again.{first}"
    audio.write_spliced(target, source, [], source_type=PARTLY_GENERATED)
    assert kind_of(target) == PARTLY_GENERATED
    assert edit(target, again) == ""
    assert kind_of(again) == PARTLY_GENERATED
    assert set(metadata_of(again).texts) >= set(TEXTS)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_edit_of_generated_music_stays_generated(tmp_path, noise, suffix):
    source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    audio.write(source, noise(0.2), RATE, tags=audio.GENERATED_TAGS)
    audio.write_spliced(target, source, [], source_type=PARTLY_GENERATED)
    assert kind_of(target) == GENERATED
    audio.write_spliced(source, target, [])
    assert kind_of(source) == GENERATED


def test_xmp_of_the_user_gets_it_beside_the_rest(tmp_path, noise):
    source = with_chunks(tmp_path / "in.wav", noise(1.0), late=chunk(b"_PMX", XMP))
    target = tmp_path / "out.wav"
    for kind in (PARTLY_GENERATED, PARTLY_GENERATED, GENERATED):
        audio.write_spliced(target, source, [], source_type=kind)
        found = chunks_of(target)[b"_PMX"]
        assert b'dc:title="mine"' in found
        assert found.count(b"DigitalSourceType") == 1
        assert kind_of(target) == kind
        source = target


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
def test_an_id3_tag_does_not_contradict(tmp_path, noise, suffix):
    texts = (("TITLE", "mine"), ("DIGITALSOURCETYPE", "digitalCapture"))
    tag, order = (b"ID3 ", ">") if suffix == "aiff" else (b"id3 ", "<")
    late = chunk(tag, id3.build(texts, ()).to_bytes(), order)
    source = with_chunks(tmp_path / f"in.{suffix}", noise(0.2), late=late)
    assert kind_of(source) == "digitalCapture"
    target = tmp_path / f"out.{suffix}"
    audio.write_spliced(target, source, [], source_type=PARTLY_GENERATED)
    assert kind_of(target) == PARTLY_GENERATED
    found = id3.texts_of(id3.parse(chunks_of(target)[tag]))[0]
    assert found == (("TITLE", "mine"), ("DIGITALSOURCETYPE", PARTLY_GENERATED))
    assert b"digitalCapture" not in target.read_bytes()


@pytest.mark.parametrize("form", [
    b'<Iptc4xmpExt:DigitalSourceType rdf:resource="digitalCapture"/>',
    b"<Iptc4xmpExt:DigitalSourceType\n  x='y' rdf:resource = 'digitalCapture' />",
    b"<Iptc4xmpExt:DigitalSourceType>digitalCapture</Iptc4xmpExt:DigitalSourceType>",
    b'<rdf:Description Iptc4xmpExt:DigitalSourceType="digitalCapture"/>',
])  # fmt: skip
def test_every_form_of_the_property_is_seen(tmp_path, noise, form):
    xmp = XMP.replace(b"</rdf:RDF>", form + b"</rdf:RDF>")
    source = with_chunks(tmp_path / "in.wav", noise(0.2), late=chunk(b"_PMX", xmp))
    assert kind_of(source) == "digitalCapture"
    target = tmp_path / "out.wav"
    audio.write_spliced(target, source, [], source_type=PARTLY_GENERATED)
    changed = form.replace(b"digitalCapture", PARTLY_GENERATED.encode())
    assert chunks_of(target)[b"_PMX"] == xmp.replace(form, changed)


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
@pytest.mark.parametrize("xmp", [XMP.replace(b"rdf:", b"r:"), XMP.decode().encode("utf-16")])
def test_beside_xmp_that_is_not_understood_it_is_in_an_id3_tag(tmp_path, noise, suffix, xmp):
    is_aiff = suffix == "aiff"
    late = chunk(b"APPL", b"XMP " + xmp, ">") if is_aiff else chunk(b"_PMX", xmp)
    source = with_chunks(tmp_path / f"in.{suffix}", noise(0.2), late=late)
    for kind in (PARTLY_GENERATED, PARTLY_GENERATED, GENERATED):
        target = tmp_path / f"{kind[-5:]}.{suffix}"
        audio.write_spliced(target, source, [], source_type=kind)
        assert kind_of(target) == kind
        found = chunks_of(target)
        assert found[b"APPL" if is_aiff else b"_PMX"].endswith(xmp)
        assert found[b"ID3 " if is_aiff else b"id3 "].count(b"DIGITALSOURCETYPE") == 1


def test_a_value_that_is_no_name_stays_text(tmp_path, noise):
    hostile = '"/><x:evil a="'
    texts = (("DIGITALSOURCETYPE", hostile),)
    source = tagged(tmp_path / "in.flac", noise(0.2), Metadata(texts=texts))
    target = tmp_path / "out.wav"
    edit(source, target)
    assert b"<x:evil" not in chunks_of(target)[b"_PMX"]


def test_markers_in_xmp_and_ixml_move_with_an_insertion_on_the_left(tmp_path, noise):
    ixml = (
        b"<BWFXML><SYNC_POINT_LIST><SYNC_POINT><SYNC_POINT_TYPE>RELATIVE</SYNC_POINT_TYPE>"
        b"<SYNC_POINT_LOW>4294967290</SYNC_POINT_LOW><SYNC_POINT_HIGH>0</SYNC_POINT_HIGH>"
        b"</SYNC_POINT><SYNC_POINT><SYNC_POINT_TYPE>ABSOLUTE</SYNC_POINT_TYPE>"
        b"<SYNC_POINT_LOW>7</SYNC_POINT_LOW></SYNC_POINT></SYNC_POINT_LIST></BWFXML>"
    )
    late = chunk(b"_PMX", XMP) + chunk(b"iXML", ixml)
    source = with_chunks(tmp_path / "in.wav", noise(1.0), late=late)
    target = tmp_path / "out.wav"
    assert edit(source, target, lead=LEAD) == ""  # half a second
    found = chunks_of(target)
    assert b'startTime="13200"' in found[b"_PMX"]  # 24,000 units per second
    assert b"startTime>12000<" in found[b"_PMX"]
    assert b"startTime>102f24s2<" in found[b"_PMX"]  # 12 units per second
    moved = 4_294_967_290 + LEAD
    assert b"LOW>%d<" % (moved % 2**32) in found[b"iXML"]
    assert b"HIGH>1<" in found[b"iXML"]
    assert b"LOW>7<" in found[b"iXML"]
    edit(source, target, tail=100)
    assert chunks_of(target)[b"_PMX"] == XMP
    assert np.array_equal(audio.read(target, 0, RATE), audio.read(source))


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
def test_markers_move_by_the_rate_of_their_own_track(tmp_path, noise, suffix):
    xmp = (
        b'<rdf:li xmpDM:frameRate="f48000"><a xmpDM:startTime="96"/></rdf:li>'
        b'<rdf:li xmpDM:frameRate="f100"><a xmpDM:startTime="7"/></rdf:li>'
    )
    is_aiff = suffix == "aiff"
    late = chunk(b"APPL", b"XMP " + xmp, ">") if is_aiff else chunk(b"_PMX", xmp)
    source = with_chunks(tmp_path / f"in.{suffix}", noise(0.2), late=late)
    target = tmp_path / f"out.{suffix}"
    assert edit(source, target, lead=LEAD, recipe=None) == ""  # half a second
    found = chunks_of(target)[b"APPL" if is_aiff else b"_PMX"]
    assert found.endswith(xmp.replace(b'"96"', b'"24096"').replace(b'"7"', b'"57"'))


@pytest.mark.parametrize("tag", [b"iXML", b"_PMX"])
@pytest.mark.parametrize("piece", [
    b"<SYNC_POINT>", b"<SYNC_POINT><SYNC_POINT_LOW>1", b"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI> ",
    b"DigitalSourceType ", b"DigitalSourceType x:resource", b'xmpDM:startTime="1f',
    b'xmpDM:frameRate="1" xmpDM:startTime="1"', b"</ ", b" ", b"1",
])  # fmt: skip
def test_text_that_repeats_takes_time_in_proportion(tmp_path, noise, tag, piece):
    data = piece * (80_000 // len(piece))
    source = with_chunks(tmp_path / "in.wav", noise(0.2), late=chunk(tag, data))
    started = time.process_time()
    audio.write_spliced(
        tmp_path / "out.wav",
        source,
        [audio.Patch(0, np.zeros((2, 10), np.float32), insert=True)],
        source_type=PARTLY_GENERATED,
    )
    assert time.process_time() - started < 1
    assert kind_of(tmp_path / "out.wav") == PARTLY_GENERATED
