//! A content of a record as a file for other programs: its bytes exactly as they were received.

use super::read::content_id;
use super::text::Kind;
use crate::access_log::LogEntry;
use crate::document;
use crate::engine::Engine;
use crate::export::write_private;
use crate::problem::{Problem, ProblemCode, Result};
use crate::view::{AccessAct, RecordKey};
use std::path::{Path, PathBuf};

impl Engine {
    /// Writes one content of a record into `folder`, for its owner only to read, under a name made of the
    /// time and of what its bytes are: what a server calls it is no name of a file. Gives the path. It is
    /// not encrypted any more; that it was written is in the access log.
    ///
    /// # Errors
    /// `record.not_found` when the record or its content is not here; `export.failed`, `store.*`.
    pub async fn attachment_save(
        &self,
        key: &RecordKey,
        position: usize,
        folder: &Path,
    ) -> Result<PathBuf> {
        let saved = self.save_content(key, position, folder).await;
        let row = self.connection_row(&key.connection_id).await?;
        let entry = LogEntry::at(&row, AccessAct::Exported).records([(&key.resource_type, 1)]);
        self.log_access(entry.ended(&saved)).await;
        saved
    }

    async fn save_content(
        &self,
        key: &RecordKey,
        position: usize,
        folder: &Path,
    ) -> Result<PathBuf> {
        let missing = || Problem::new(ProblemCode::NotFound);
        let (_, json) = self.stored_record(key).await?;
        let base = self.connection_row(&key.connection_id).await?.fhir_base;
        let mut attachments = document::attachments_of(&json).into_iter();
        let attachment = attachments.nth(position).ok_or_else(missing)?;
        let (content_type, bytes) = match (attachment.data, &attachment.url) {
            (Some(data), _) => (attachment.content_type, data),
            (None, Some(url)) => {
                let id = content_id(url, &base);
                let content = self.content(&key.connection_id, &id).await?;
                content.ok_or_else(missing)?
            }
            (None, None) => return Err(missing()),
        };
        let failed =
            |error: std::io::Error| Problem::with_detail(ProblemCode::ExportFailed, error.kind());
        tokio::fs::create_dir_all(folder).await.map_err(failed)?;
        let file = self.free_name(folder, extension(&content_type, &bytes));
        write_private(&file, &bytes).await?;
        Ok(file)
    }

    /// A name that no file has yet.
    fn free_name(&self, folder: &Path, extension: &str) -> PathBuf {
        let now = self.now().to_zoned_datetime(jiff::tz::TimeZone::system());
        let stem = now.strftime("satchel-document-%Y-%m-%d-%H%M%S");
        let mut file = folder.join(format!("{stem}.{extension}"));
        let mut number = 2;
        while file.exists() {
            file = folder.join(format!("{stem}-{number}.{extension}"));
            number += 1;
        }
        file
    }
}

/// Of what the bytes are, and only where they do not tell, of what they are said to be: a program that is
/// called a picture must not be opened as one.
fn extension(content_type: &str, bytes: &[u8]) -> &'static str {
    match Kind::seen(bytes).unwrap_or_else(|| Kind::stated(content_type)) {
        Kind::Plain => "txt",
        Kind::Html => "html",
        Kind::Xml => "xml",
        Kind::Rtf => "rtf",
        Kind::Pdf if bytes.starts_with(b"%PDF-") => "pdf",
        Kind::Image => match bytes {
            [0x89, b'P', ..] => "png",
            [0xff, 0xd8, ..] => "jpg",
            [b'G', b'I', ..] => "gif",
            [b'I', b'I', ..] | [b'M', b'M', ..] => "tiff",
            [_, _, _, _, _, _, _, _, b'W', b'E', b'B', b'P', ..] => "webp",
            _ => "bin",
        },
        Kind::Pdf | Kind::Other => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::extension;

    #[test]
    fn a_file_is_named_after_its_bytes_and_not_after_what_a_server_calls_them() {
        assert_eq!(extension("image/png", b"%PDF-1.7 ..."), "pdf");
        assert_eq!(extension("application/pdf", b"MZ\x90\0"), "bin");
        assert_eq!(extension("image/png", b"#!/bin/sh"), "bin");
        assert_eq!(extension("text/plain; charset=utf-8", b"Seen today"), "txt");
        assert_eq!(extension("text/plain", b"<!DOCTYPE html><script>"), "html");
        assert_eq!(extension("image/jpeg", b"\xff\xd8\xff\xe0"), "jpg");
        assert_eq!(extension("application/x-msdownload", b"anything"), "bin");
    }
}
