// Program habits prints what no seed decides in a program as it is.
package main

import (
	crypto "crypto/rand"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"
)

func main() {
	line, _ := io.ReadAll(os.Stdin)
	fmt.Println("input:", len(os.Args), len(line) > 0)
	m := make(map[int]bool)
	for i := range 50 {
		m[i] = true
	}
	fmt.Print("map: ")
	for k := range m {
		fmt.Print(k, " ")
	}
	fmt.Print("\nselect: ")
	for range 50 {
		a, b := make(chan int, 1), make(chan int, 1)
		a <- 1
		b <- 2
		select {
		case x := <-a:
			fmt.Print(x)
		case x := <-b:
			fmt.Print(x)
		}
	}
	fmt.Println("\nmath/rand:", rand.Uint64())
	p := make([]byte, 16)
	crypto.Read(p)
	fmt.Printf("crypto/rand: %x\n", p)
	fmt.Println("maphash:", maphash.String(maphash.MakeSeed(), "text"))
	fmt.Printf("address: %p\n", &p[0])
	fmt.Println("time:", time.Now())
	var mu sync.Mutex
	var order []int
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			time.Sleep(time.Duration(rand.IntN(3)) * time.Hour)
			mu.Lock()
			defer mu.Unlock()
			order = append(order, i)
		})
	}
	all.Wait()
	fmt.Println("goroutines:", order)
	fmt.Println("later:", time.Now())
	fmt.Println("net/http:", overHTTP())
}

// overHTTP has net/http's server and client talk over pipes, on goroutines of theirs.
func overHTTP() (said []string) {
	ends := make(chan net.Conn)
	ln := pipes(ends)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond)
		fmt.Fprint(w, r.URL.Path)
	}))
	server.Listener.Close()
	server.Listener = ln
	server.Start()
	defer server.Close()
	client := http.Client{Transport: &http.Transport{Dial: func(string, string) (net.Conn, error) {
		a, b := net.Pipe()
		ends <- b
		return a, nil
	}}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			answer, err := client.Get(fmt.Sprint("http://server/", i))
			if err != nil {
				panic(err)
			}
			text, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			said = append(said, string(text))
		})
	}
	all.Wait()
	return said
}

type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { defer func() { recover() }(); close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }
