// SPDX-FileCopyrightText: 2026 The ivsstagesink authors
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A WHIP server made of Pion, which counts and keeps what it receives: packets of
// sound, pictures of video.
//
//	pion-whip [-lite] [-role client|server] FOLDER
//
// It writes into FOLDER: `endpoint` (the URL, once it listens), `counts` (renewed all
// the time), `video.h264` and `audio.ogg`. It ends when its standard input does.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"
	"github.com/pion/webrtc/v3/pkg/media/oggwriter"
)

type writer interface {
	WriteRTP(packet *rtp.Packet) error
	Close() error
}

// Pion's h264writer waits for parameter sets in a STAP-A, which not everybody sends.
type videoWriter struct {
	file         *os.File
	depacketizer codecs.H264Packet
}

func (w *videoWriter) WriteRTP(packet *rtp.Packet) error {
	data, err := w.depacketizer.Unmarshal(packet.Payload)
	if err != nil {
		return err
	}
	_, err = w.file.Write(data)
	return err
}

func (w *videoWriter) Close() error {
	return w.file.Close()
}

var (
	folder                                     string
	api                                        *webrtc.API
	session                                    *webrtc.PeerConnection
	nAudio, nVideo, nPosts, nDeletes, nClosers int64
)

// So that nobody reads half a file.
func replaceFile(name, text string) {
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		log.Fatal(err)
	}
}

func showCounts() {
	for range time.Tick(50 * time.Millisecond) {
		replaceFile("counts", fmt.Sprintf("audio %d video %d posts %d deletes %d closed %d\n",
			atomic.LoadInt64(&nAudio), atomic.LoadInt64(&nVideo),
			atomic.LoadInt64(&nPosts), atomic.LoadInt64(&nDeletes),
			atomic.LoadInt64(&nClosers)))
	}
}

func openWriter(track *webrtc.TrackRemote) (writer, *int64, error) {
	if track.Kind() == webrtc.RTPCodecTypeAudio {
		w, err := oggwriter.New(filepath.Join(folder, "audio.ogg"), 48000, 2)
		return w, &nAudio, err
	}
	file, err := os.Create(filepath.Join(folder, "video.h264"))
	return &videoWriter{file: file}, &nVideo, err
}

func receive(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	w, count, err := openWriter(track)
	if err != nil {
		log.Fatal(err)
	}
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			break
		}
		if err := w.WriteRTP(packet); err != nil {
			log.Print(err)
		}
		// The last packet of a picture has the marker.
		if packet.Marker || track.Kind() == webrtc.RTPCodecTypeAudio {
			atomic.AddInt64(count, 1)
		}
	}
	w.Close()
	atomic.AddInt64(&nClosers, 1)
}

func answer(offer string) (string, error) {
	var err error
	if session, err = api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return "", err
	}
	session.OnTrack(receive)
	if err = session.SetRemoteDescription(webrtc.SessionDescription{
		Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	complete := webrtc.GatheringCompletePromise(session)
	made, err := session.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	if err = session.SetLocalDescription(made); err != nil {
		return "", err
	}
	<-complete
	return session.LocalDescription().SDP, nil
}

func post(w http.ResponseWriter, r *http.Request) {
	atomic.AddInt64(&nPosts, 1)
	offer, err := io.ReadAll(r.Body)
	if err == nil && r.Method == http.MethodPost {
		var sdp string
		if sdp, err = answer(string(offer)); err == nil {
			w.Header().Set("Content-Type", "application/sdp")
			w.Header().Set("Location", "/session")
			w.WriteHeader(http.StatusCreated)
			io.WriteString(w, sdp)
			return
		}
	}
	http.Error(w, fmt.Sprint(err), http.StatusBadRequest)
}

func remove(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodDelete || session == nil {
		http.Error(w, "there is no session to delete", http.StatusNotFound)
		return
	}
	session.Close()
	session = nil
	atomic.AddInt64(&nDeletes, 1)
}

func makeAPI(lite bool, role string) *webrtc.API {
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		log.Fatal(err)
	}
	settings := webrtc.SettingEngine{}
	settings.SetLite(lite)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	dtlsRole := webrtc.DTLSRoleClient
	if role == "server" {
		dtlsRole = webrtc.DTLSRoleServer
	}
	if err := settings.SetAnsweringDTLSRole(dtlsRole); err != nil {
		log.Fatal(err)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(engine),
		webrtc.WithSettingEngine(settings))
}

func main() {
	lite := flag.Bool("lite", false, "be an ICE-lite agent")
	role := flag.String("role", "client", "in the DTLS handshake")
	flag.Parse()
	folder = flag.Arg(0)
	api = makeAPI(*lite, *role)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/whip", post)
	http.HandleFunc("/session", remove)
	go http.Serve(listener, nil)
	go showCounts()
	replaceFile("endpoint", fmt.Sprintf("http://%s/whip", listener.Addr()))
	io.Copy(io.Discard, os.Stdin)
}
