package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// newHandler is what FastAPI calls the app. A function is an operation: its types
// say what it takes and gives, and what is not so is refused before it is called.
func newHandler(s *store) http.Handler {
	mux := http.NewServeMux()
	cfg := huma.DefaultConfig("Books", "1.0.0")
	cfg.DocsPath = "" // huma's page loads its scripts from elsewhere: see docs.go
	api := humago.New(mux, cfg)
	serveDocs(mux)

	type bookOutput struct{ Body Book }
	type byID struct {
		ID int64 `path:"id" minimum:"1" doc:"Number of the book"`
	}

	huma.Register(api, huma.Operation{
		OperationID: "add-book", Method: http.MethodPost, Path: "/books", Summary: "Add a book",
		DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		Body struct {
			Title  string `json:"title" minLength:"1" maxLength:"200" example:"Emma"`
			Author string `json:"author" minLength:"1" maxLength:"100" example:"Jane Austen"`
			Year   int    `json:"year" minimum:"1450" maximum:"2100" example:"1815"`
		}
	}) (*bookOutput, error) {
		b := Book{Title: in.Body.Title, Author: in.Body.Author, Year: in.Body.Year}
		var refused *pgconn.PgError
		if err := s.add(ctx, &b); errors.As(err, &refused) && refused.Code == uniqueViolation {
			return nil, huma.Error409Conflict("this book is there already")
		} else if err != nil {
			return nil, err
		}
		return &bookOutput{b}, nil
	})

	huma.Register(api, huma.Operation{
		OperationID: "list-books", Method: http.MethodGet, Path: "/books", Summary: "List books",
	}, func(ctx context.Context, in *struct {
		Author string `query:"author" doc:"Only this author's"`
		Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	}) (*struct{ Body []Book }, error) {
		books, err := s.list(ctx, in.Author, in.Limit)
		return &struct{ Body []Book }{books}, err
	})

	huma.Register(api, huma.Operation{
		OperationID: "get-book", Method: http.MethodGet, Path: "/books/{id}", Summary: "Get a book",
		Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *byID) (*bookOutput, error) {
		b, err := s.get(ctx, in.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, huma.Error404NotFound("there is no such book")
		}
		return &bookOutput{b}, err
	})

	huma.Register(api, huma.Operation{
		OperationID: "remove-book", Method: http.MethodDelete, Path: "/books/{id}", Summary: "Remove a book",
		Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *byID) (*struct{}, error) {
		found, err := s.remove(ctx, in.ID)
		if err == nil && !found {
			return nil, huma.Error404NotFound("there is no such book")
		}
		return nil, err
	})
	return mux
}

const uniqueViolation = "23505"
